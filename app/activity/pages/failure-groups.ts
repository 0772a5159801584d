import type { ActivityEvent } from '../activity-store.ts'

/** Failures of one processor with one code. */
export interface FailureGroup {
  processor: string
  code: string
  /** Message of the newest failure. */
  message: string
  dead: number
  retrying: number
  /** ISO 8601, UTC. */
  firstSeen: string
  lastSeen: string
  newest: ActivityEvent
  /** Number of failures in each part of the time span of all groups, oldest first. */
  overTime: readonly number[]
}

const PARTS = 24

interface Failure {
  event: ActivityEvent
  processor: string
  code: string
  message: string
  at: string
}

/** Groups failures by processor and code, the newest first. */
export function failureGroups(events: readonly ActivityEvent[], now: number): FailureGroup[] {
  const failures = events.flatMap(failuresOf)
  const start = Math.min(now, ...failures.map(({ at }) => Date.parse(at)))
  const partMs = Math.max(1, (now - start) / PARTS)
  return [...Map.groupBy(failures, ({ processor, code }) => JSON.stringify([processor, code])).values()]
    .map((group) => groupOf(group, start, partMs))
    .toSorted((a, b) => b.lastSeen.localeCompare(a.lastSeen))
}

function groupOf(failures: readonly Failure[], start: number, partMs: number): FailureGroup {
  const sorted = failures.toSorted((a, b) => a.at.localeCompare(b.at))
  const { processor, code, message, event, at: lastSeen } = sorted.at(-1)!
  const overTime = Array.from({ length: PARTS }, () => 0)
  for (const { at } of sorted) {
    const part = Math.min(PARTS - 1, Math.max(0, Math.floor((Date.parse(at) - start) / partMs)))
    overTime[part]!++
  }
  const dead = sorted.filter(({ event }) => event.status === 'dead').length
  return {
    processor,
    code,
    message,
    dead,
    retrying: sorted.length - dead,
    firstSeen: sorted[0]!.at,
    lastSeen,
    newest: event,
    overTime
  }
}

/** Returns the failed processors of an event; if it has none, its last error. */
function failuresOf(event: ActivityEvent): Failure[] {
  const failed = Object.entries(event.processors).flatMap(([processor, record]) =>
    record.outcome === 'failed' || record.outcome === 'dead'
      ? [{ event, processor, code: record.code, message: record.message, at: record.at }]
      : []
  )
  if (failed.length > 0 || !event.lastError) return failed
  return [{ event, ...event.lastError, at: event.finishedAt ?? event.startedAt ?? event.receivedAt }]
}
