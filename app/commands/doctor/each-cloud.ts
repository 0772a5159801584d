import type { CloudinaryClient } from '../../cloudinary/client.ts'
import type { CloudinaryClients } from '../../cloudinary/clients.ts'
import type { Finding } from '../../processor.ts'
import { explain } from '../explain-error.ts'
import { warn } from './check.ts'

export interface CloudOptions {
  /** The clouds that answer; the Cloudinary check reports the others. */
  cloudNames: readonly string[]
  clients: Pick<CloudinaryClients, 'for'>
}

/**
 * Checks each cloud, and names it in each finding. An error is a warning: the listener's key needs no
 * permission to read triggers and metadata fields.
 */
export async function eachCloud(
  { cloudNames, clients }: CloudOptions,
  signal: AbortSignal,
  check: (client: CloudinaryClient) => Promise<Finding[]>
): Promise<Finding[]> {
  const findings = cloudNames.map(async (cloudName) => {
    const found = await check(clients.for(cloudName, signal)).catch((error) => [
      warn(`not checked: ${explain(error)}`)
    ])
    return found.map(({ level, message }) => ({ level, message: `${cloudName}: ${message}` }))
  })
  return (await Promise.all(findings)).flat()
}
