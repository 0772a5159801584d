import { isExpected } from './advice.ts'
import { deliver, type Outcome, type Transport } from './deliver.ts'
import type { SendOptions } from './options.ts'
import type { NotificationRequest } from './request.ts'

/** How often a long run says where it is, in milliseconds. */
const PROGRESS_MS = 1000

export interface Summary {
  sent: number
  /** How many notifications got each status, or each reason for none. */
  outcomes: Record<string, number>
  unexpected: number
  seconds: number
  /** Answers' latencies in milliseconds, ascending. */
  latencies: number[]
  /** Why it stopped before the end. */
  stopped: string | null
  /** The first outcome that is not as it should be, else the last one. */
  example: Outcome
}

/** Calls a function again and again, with a pause in milliseconds, until what it returns is called. */
export type Repeat = (call: () => void, pauseMs: number) => () => void

const repeat: Repeat = (call, pauseMs) => {
  const timer = setInterval(call, pauseMs)
  return () => clearInterval(timer)
}

/**
 * Sends `options.count` notifications, at most `options.concurrency` at once, and says each second how far it is, also while
 * nothing is answered. It stops when nothing listens: the rest would fail in the same way.
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
    const faults = unexpected > 0 ? `, ${unexpected} not as they should be` : ''
    print(`Progress  ${sent} of ${options.count} answered, ${rate} a second${faults}`)
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

/** The value that `share` (0 to 1) of the ascending values do not exceed (nearest rank); NaN of no values. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? Number.NaN
}

/** A summary as lines for a person. */
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
  if (unexpected > 0) lines.push(`Faults    ${unexpected} were not answered as they should have been`)
  return lines
}
