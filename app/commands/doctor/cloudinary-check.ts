import type { CloudinaryClients } from '../../cloudinary/clients.ts'
import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import type { Finding } from '../../processor.ts'
import { explain } from '../explain-error.ts'
import { type Check, fault, ok, warn } from './check.ts'

type Environments = { cloudNames: () => readonly string[] }
type Clients = Pick<CloudinaryClients, 'for'>

export interface CloudinaryOptions<Known extends Environments> {
  /** Rejects if the credentials cannot be read; the credentials check reports why. */
  environments: Promise<Known>
  connect: (environments: Known) => Clients
  /** Called for each cloud that answers and accepts the key. */
  onAnswer: (cloudName: string) => void
}

/** Shorter than the timeout of the check, so that the check can report which cloud does not answer. */
const PING_MS = 4500

/** Checks that Cloudinary answers for each cloud and accepts the key. */
export const cloudinary = <Known extends Environments>(options: CloudinaryOptions<Known>): Check => ({
  subject: 'Cloudinary',
  async run(signal) {
    const environments = await options.environments.catch(() => undefined)
    if (!environments) return []
    const clients = options.connect(environments)
    return Promise.all(
      environments.cloudNames().map(async (cloudName) => {
        const finding = await ping(clients, cloudName, signal)
        if (finding.level === 'ok') options.onAnswer(cloudName)
        return finding
      })
    )
  }
})

async function ping(clients: Clients, cloudName: string, signal: AbortSignal): Promise<Finding> {
  try {
    await clients.for(cloudName, signal).call('ping', (sdk, options) => sdk.api.ping(options), PING_MS)
    return ok(`${cloudName}: accepts the key`)
  } catch (error) {
    const message = `${cloudName}: ${explain(error)}`
    const isLimited = error instanceof CloudinaryError && error.failure.kind === 'rate-limited'
    // processors use the Upload API, which has no rate limit
    return isLimited ? warn(`${message}; temporary`) : fault(message)
  }
}
