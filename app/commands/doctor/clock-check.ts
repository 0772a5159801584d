import { apiBaseUrl } from '../../credentials/cloudinary-url.ts'
import type { Environments } from '../../credentials/environments.ts'
import { MAXIMUM_AHEAD_SECONDS } from '../../ingest/signature.ts'
import { type Check, fault, ok, warn } from './doctor.ts'

export interface ClockOptions {
  /** URLs of servers whose clocks can be trusted; the first that answers is asked. */
  servers: () => AsyncIterable<string>
  fetch: typeof globalThis.fetch
  /** Milliseconds since the epoch. */
  clock: () => number
}

const WARN_SECONDS = 60

/** How long one server is waited for, in milliseconds. */
const ANSWER_MS = 2000

/** The clock of this machine agrees with others: signatures are accepted by their time. */
export const clock = ({ servers, fetch, clock }: ClockOptions): Check => ({
  subject: 'clock',
  async run(signal) {
    for await (const server of servers()) {
      const skew = await skewAgainst(server, signal, { fetch, clock }).catch(() => undefined)
      if (skew === undefined) continue
      const seconds = Math.abs(skew)
      const apart = `${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} ${new URL(server).host}`
      if (seconds <= WARN_SECONDS) return [ok(`agrees with ${new URL(server).host} within ${WARN_SECONDS} s`)]
      const then =
        seconds > MAXIMUM_AHEAD_SECONDS
          ? 'so that signatures and calls to AWS are refused'
          : `and from ${MAXIMUM_AHEAD_SECONDS} s on signatures are refused`
      const finding = seconds > MAXIMUM_AHEAD_SECONDS ? fault : warn
      return [finding(`it is ${apart}, ${then}; set it by NTP`)]
    }
    return [warn('it could not be compared with any other: none answered; look at the lines above')]
  }
})

/** How many seconds our clock is ahead; undefined where the server does not tell the time. */
async function skewAgainst(
  server: string,
  signal: AbortSignal,
  { fetch, clock }: Pick<ClockOptions, 'fetch' | 'clock'>
): Promise<number | undefined> {
  const askedAt = clock()
  const answer = await fetch(server, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
  })
  const theirs = Date.parse(answer.headers.get('date') ?? '')
  if (Number.isNaN(theirs)) return undefined
  // somewhere between question and answer, and told in whole seconds
  return Math.round(((askedAt + clock()) / 2 - theirs) / 1000)
}

/** The servers whose clocks signatures are made or checked by, as far as they are configured. */
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
