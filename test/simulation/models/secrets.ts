import { ResourceNotFoundException, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { Network } from '../network.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Key } from './cloudinary-assets.ts'

interface Input {
  VersionStage?: string
}

/**
 * One secret of Secrets Manager: the URLs of all clouds, with the value before the last change as `AWSPREVIOUS`.
 * Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
 */
export class SecretModel {
  #current = new Map<string, Key>()
  #previous: ReadonlyMap<string, Key> | undefined

  constructor(keys: ReadonlyMap<string, Key>) {
    this.#current = new Map(keys)
  }

  rotate(cloudName: string, key: Key): void {
    this.#previous = this.#current
    this.#current = new Map(this.#current).set(cloudName, key)
  }

  /** Returns a client of the process that calls it. */
  client(network: Network, scheduler: Scheduler): SecretsManagerClient {
    const send = (command: { input: Input }, options?: { abortSignal?: AbortSignal }) => {
      const process = scheduler.current!
      const call = network.call<object>({
        service: 'secrets',
        operation: 'GetSecretValue',
        signal: options?.abortSignal,
        fail: (why) =>
          Object.assign(new Error(`injected: ${why}`), { name: 'InternalServiceError', $metadata: {} }),
        perform: (answer) => {
          const value = command.input.VersionStage === 'AWSPREVIOUS' ? this.#previous : this.#current
          if (!value)
            return answer({
              error: new ResourceNotFoundException({ message: 'no such version', $metadata: {} })
            })
          answer({
            value: {
              SecretString: textOf(value),
              VersionId: String([...value.values()].map(({ apiKey }) => apiKey))
            }
          })
        }
      })
      call.catch((error) => {
        if (!(error instanceof ResourceNotFoundException)) process.secretFailedAt = scheduler.now
      })
      return call
    }
    return { send } as unknown as SecretsManagerClient
  }
}

const textOf = (keys: ReadonlyMap<string, Key>): string =>
  JSON.stringify(
    Object.fromEntries(
      [...keys].map(([cloud, { apiKey, apiSecret }]) => [
        cloud,
        `cloudinary://${apiKey}:${apiSecret}@${cloud}`
      ])
    )
  )
