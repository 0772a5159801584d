import type { CloudinaryClient } from '../../cloudinary/client.ts'
import type { CloudinaryClients } from '../../cloudinary/clients.ts'
import type { Finding } from '../../processor.ts'
import { explain } from '../explain-error.ts'
import { warn } from './doctor.ts'

export interface CloudOptions {
  /** Those that answer; whether one does is for its own check to say. */
  cloudNames: readonly string[]
  clients: Pick<CloudinaryClients, 'for'>
}

/**
 * Checks each cloud, and says for each finding which. What cannot be asked is a warning: a key that is good enough for the
 * listener may not be allowed to see it.
 */
export async function eachCloud(
  { cloudNames, clients }: CloudOptions,
  signal: AbortSignal,
  check: (client: CloudinaryClient) => Promise<Finding[]>
): Promise<Finding[]> {
  const findings = cloudNames.map(async (cloudName) => {
    const found = await check(clients.for(cloudName, signal)).catch((error) => [
      warn(`cannot be checked: ${explain(error)}`)
    ])
    return found.map(({ level, message }) => ({ level, message: `${cloudName}: ${message}` }))
  })
  return (await Promise.all(findings)).flat()
}
