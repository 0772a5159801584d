import type { Environments } from '../../credentials/environments.ts'
import { count } from '../report-line.ts'
import { type Check, ok } from './check.ts'

export interface CredentialsOptions {
  /** Rejects with the reason, without a secret. */
  environments: Promise<Pick<Environments, 'cloudNames' | 'verificationKeys'>>
}

/** Checks that the credentials can be read, and lists their clouds. */
export const credentials = ({ environments }: CredentialsOptions): Check => ({
  subject: 'credentials',
  async run() {
    const known = await environments
    const keys = count(known.verificationKeys().length, 'key')
    return [ok(`clouds: ${known.cloudNames().join(', ')}; ${keys} to verify signatures`)]
  }
})
