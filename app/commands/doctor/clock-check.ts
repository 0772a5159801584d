import { apiBaseUrl } from '../../credentials/cloudinary-url.ts'
import type { Environments } from '../../credentials/environments.ts'
import { MAX_AHEAD_SECONDS } from '../../ingest/signature.ts'
import { type Check, fault, ok, warn } from './check.ts'

export interface ClockOptions {
  /** URLs of servers with a correct clock. The first one that answers is used. */
  servers: () => AsyncIterable<string>
  fetch: typeof globalThis.fetch
  /** Milliseconds since the epoch. */
  clock: () => number
}

const WARN_SECONDS = 60

/** Timeout of a request to a server, in milliseconds. */
const REQUEST_MS = 2000

/** Compares this machine's clock with the clocks of servers: signatures are rejected if it is wrong. */
export const clock = ({ servers, fetch, clock }: ClockOptions): Check => ({
  subject: 'clock',
  async run(signal) {
    for await (const server of servers()) {
      const skew = await skewAgainst(server, signal, { fetch, clock }).catch(() => undefined)
      if (skew === undefined) continue
      const seconds = Math.abs(skew)
      const { host } = new URL(server)
      if (seconds <= WARN_SECONDS) return [ok(`agrees with ${host} within ${WARN_SECONDS} s`)]
      const difference = `${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} ${host}`
      return [
        seconds > MAX_AHEAD_SECONDS
          ? fault(`${difference}: signatures and calls to AWS are rejected; set it with NTP`)
          : warn(`${difference}: signatures are rejected beyond ${MAX_AHEAD_SECONDS} s; set it with NTP`)
      ]
    }
    return [warn('not compared: no server answered; see the lines above')]
  }
})

/** Returns how far this clock is ahead, in seconds, or undefined if the server does not state the time. */
async function skewAgainst(
  server: string,
  signal: AbortSignal,
  { fetch, clock }: Pick<ClockOptions, 'fetch' | 'clock'>
): Promise<number | undefined> {
  const askedAt = clock()
  const answer = await fetch(server, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)])
  })
  const serverTime = Date.parse(answer.headers.get('date') ?? '')
  if (Number.isNaN(serverTime)) return undefined
  // the server reads its clock between request and response, and its header has whole seconds
  return Math.round(((askedAt + clock()) / 2 - serverTime) / 1000)
}

/** Yields the configured servers whose clocks matter for signatures. */
export async function* timeServers({
  queueUrl,
  environments
}: {
  queueUrl: string | undefined
  environments: Promise<Pick<Environments, 'verificationKeys'>> | undefined
}): AsyncIterable<string> {
  if (queueUrl) yield new URL('/', queueUrl).href
  const keys = (await environments?.catch(() => undefined))?.verificationKeys() ?? []
  yield* new Set(keys.map(apiBaseUrl))
}
