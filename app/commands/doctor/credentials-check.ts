import type { Environments } from '../../credentials/environments.ts'
import { count } from '../report-line.ts'
import { type Check, ok } from './doctor.ts'

export interface CredentialsOptions {
  /** Rejects with what says, without a secret, why they cannot be read. */
  environments: Promise<Pick<Environments, 'cloudNames' | 'verificationKeys'>>
}

/** The credentials can be read, and say which clouds they are for. */
export const credentials = ({ environments }: CredentialsOptions): Check => ({
  subject: 'credentials',
  async run() {
    const known = await environments
    const keys = count(known.verificationKeys().length, 'key')
    return [ok(`readable; clouds: ${known.cloudNames().join(', ')}; ${keys} to verify notifications`)]
  }
})
