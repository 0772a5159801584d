import { DEFECTS, type SendOptions } from './send-options.ts'
import type { NotificationRequest } from './signed-request.ts'

/** Timeout of a request, in milliseconds: Cloudinary waits 20 s for a response. */
const TIMEOUT_MS = 20_000

export type Outcome =
  | { kind: 'answered'; status: number; body: string; ms: number }
  | { kind: 'unanswered'; reason: string; ms: number }

export interface Transport {
  fetch: typeof fetch
  /** A clock for durations, in milliseconds. */
  elapsed: () => number
}

/** Posts a notification. Never throws. */
export async function deliver(
  url: string,
  request: NotificationRequest,
  transport: Transport
): Promise<Outcome> {
  const start = transport.elapsed()
  const ms = () => transport.elapsed() - start
  try {
    const response = await transport.fetch(url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      // Cloudinary follows no redirect
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS)
    })
    return { kind: 'answered', status: response.status, body: await response.text(), ms: ms() }
  } catch (error) {
    return { kind: 'unanswered', reason: reasonOf(error), ms: ms() }
  }
}

/** Returns the error code of the network, such as `ECONNREFUSED`, or else the message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message
  return error.name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS / 1000} s` : error.message
}

/** Returns whether the listener answered as the flags demand. */
export function isExpected(options: SendOptions, outcome: Outcome): boolean {
  if (outcome.kind === 'unanswered') return false
  if (options.defect === undefined) return outcome.status === 200
  return outcome.status === 401 && codeOf(outcome.body) === DEFECTS[options.defect].code
}

/** Returns the error code of a response. */
export function codeOf(body: string): string | undefined {
  return /"code"\s*:\s*"([A-Z_]+)"/.exec(body)?.[1]
}

/** Interval of the progress lines, in milliseconds. */
const PROGRESS_MS = 1000

export interface Summary {
  sent: number
  /** Number of notifications by status, or by the reason for no response. */
  outcomes: Record<string, number>
  unexpected: number
  seconds: number
  /** Latencies in milliseconds, ascending. */
  latencies: number[]
  /** Reason of an early stop. */
  stopped: string | null
  /** The first unexpected outcome, or else the last one. */
  example: Outcome
}

/** Calls a function at an interval in milliseconds until the returned function is called. */
export type Repeat = (call: () => void, pauseMs: number) => () => void

const repeat: Repeat = (call, pauseMs) => {
  const timer = setInterval(call, pauseMs)
  return () => clearInterval(timer)
}

/**
 * Sends `options.count` notifications, at most `options.concurrency` at once, and prints its progress each
 * second. Stops early when nothing listens.
 */
export async function sendMany(
  options: SendOptions,
  make: (index: number) => NotificationRequest,
  transport: Transport,
  print: (line: string) => void,
  everySecond = repeat
): Promise<Summary> {
  const start = transport.elapsed()
  const outcomes: Record<string, number> = {}
  const latencies: number[] = []
  let [next, sent, unexpected] = [0, 0, 0]
  let stopped: string | null = null
  let example: Outcome | undefined

  const note = (outcome: Outcome) => {
    const key = outcome.kind === 'answered' ? String(outcome.status) : outcome.reason
    outcomes[key] = (outcomes[key] ?? 0) + 1
    sent += 1
    if (outcome.kind === 'answered') latencies.push(outcome.ms)
    else if (outcome.reason === 'ECONNREFUSED') stopped = outcome.reason
    if (unexpected === 0) example = outcome
    if (!isExpected(options, outcome)) unexpected += 1
  }
  const endProgress = everySecond(() => {
    const rate = Math.round((sent * 1000) / (transport.elapsed() - start))
    const failures = unexpected > 0 ? `, ${unexpected} unexpected` : ''
    print(`Progress  ${sent} of ${options.count} answered, ${rate} a second${failures}`)
  }, PROGRESS_MS)

  const lane = async () => {
    while (next < options.count && stopped === null) {
      next += 1
      note(await deliver(options.url, make(next - 1), transport))
    }
  }
  const lanes = Array.from({ length: Math.min(options.concurrency, options.count) }, lane)
  await Promise.all(lanes).finally(endProgress)

  const seconds = (transport.elapsed() - start) / 1000
  latencies.sort((a, b) => a - b)
  return { sent, outcomes, unexpected, seconds, latencies, stopped, example: example! }
}

/**
 * Returns the percentile of ascending values by nearest rank, with `share` from 0 to 1; NaN without values.
 */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? Number.NaN
}

/** Formats a summary. */
export function summaryLines({
  sent,
  outcomes,
  seconds,
  latencies,
  unexpected
}: Omit<Summary, 'example' | 'stopped'>): string[] {
  const counts = Object.entries(outcomes).map(([outcome, times]) => `${times} × ${outcome}`)
  const rate = seconds > 0 ? Math.round(sent / seconds) : sent
  const lines = [
    `Answers   ${counts.join(', ')}`,
    `Rate      ${rate} a second: ${sent} in ${seconds.toFixed(1)} s`
  ]
  if (latencies.length > 0) {
    const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)]
    lines.push(`Latency   p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
  }
  if (unexpected > 0) lines.push(`Failures  ${unexpected} unexpected answers`)
  return lines
}
