import type { CloudinaryClients } from '../../cloudinary/clients.ts'
import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import type { Finding } from '../../processor.ts'
import { explain } from '../explain-error.ts'
import { type Check, fault, ok, warn } from './doctor.ts'

type Environments = { cloudNames: () => readonly string[] }
type Clients = Pick<CloudinaryClients, 'for'>

export interface CloudinaryOptions<Known extends Environments> {
  /** Rejects where the credentials cannot be read, which is for their own check to say. */
  environments: Promise<Known>
  connect: (environments: Known) => Clients
  /** Told of each cloud that answers and accepts the key. */
  onAnswer: (cloudName: string) => void
}

/** Just under the time for the check as a whole, so that it says which cloud it is that does not answer. */
const PING_MS = 4500

/** Cloudinary answers for every cloud, and accepts the key. */
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
    return ok(`${cloudName}: answers, and accepts the key`)
  } catch (error) {
    const message = `${cloudName}: ${explain(error)}`
    const isLimited = error instanceof CloudinaryError && error.failure.kind === 'rate-limited'
    // the listener's own work is done by the Upload API, which is not limited
    return isLimited ? warn(`${message}; it passes`) : fault(message)
  }
}
