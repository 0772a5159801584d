import type { ActivityEventDetail } from '../activity-store.ts'

/** One step of an event; times are milliseconds since the epoch. */
export interface Step {
  label: string
  /** A processor within an attempt. */
  isPart?: true
  tone: 'travel' | 'wait' | 'attempt' | 'succeeded' | 'failed' | 'dead' | 'started'
  start: number
  end: number
  /** True if the step has not ended; `end` is now. */
  isOpen?: true
  /** Outcome or error code. */
  detail?: string
}

/** Returns the steps of an event in order: occurred, received, stored, each attempt with its processors. */
export function timeline(event: ActivityEventDetail, now: number): Step[] {
  const received = Date.parse(event.receivedAt)
  const steps: Step[] = []
  const occurred = Date.parse(event.occurredAt)
  if (occurred < received) {
    steps.push({ label: arrival(event), tone: 'travel', start: occurred, end: received })
  }
  const stored = event.storedAt === undefined ? received : Date.parse(event.storedAt)
  if (stored > received)
    steps.push({ label: 'Stored in the queue', tone: 'travel', start: received, end: stored })
  let free = stored
  const attempts = attemptsOf(event)
  for (const [index, { number, start, end, processors, run }] of attempts.entries()) {
    const isReplay = run !== undefined && run !== attempts[index - 1]?.run
    const replay = isReplay ? event.replays?.find((each) => each.run === run) : undefined
    const replayedAt = replay ? Math.min(start, Date.parse(replay.at)) : free
    if (replayedAt > free) {
      const detail = `by ${replay?.by ?? 'unknown'}`
      steps.push({ label: 'Until it was replayed', tone: 'wait', start: free, end: replayedAt, detail })
      free = replayedAt
    }
    if (start > free) {
      const label = isReplay ? 'Waited in the queue' : waitLabel(index, number)
      steps.push({ label, tone: 'wait', start: free, end: start })
    }
    const until = Math.max(start, end ?? (event.finishedAt ? Date.parse(event.finishedAt) : now))
    const isOpen = end === undefined && !event.finishedAt
    steps.push({
      label: `Attempt ${number}`,
      tone: 'attempt',
      start,
      end: until,
      ...(run !== undefined && { detail: 'replay' }),
      ...(isOpen && { isOpen: true as const })
    })
    steps.push(...parts(processors, start, until))
    free = Math.max(free, until)
  }
  const last = steps.at(-1)
  if (
    !event.finishedAt &&
    event.status !== 'ignored' &&
    !last?.isOpen &&
    !steps.at(-1 - partsAfter(steps))?.isOpen
  ) {
    const label = attempts.length === 0 ? 'Waits in the queue' : 'Waits for the next attempt'
    steps.push({ label, tone: 'wait', start: free, end: Math.max(free, now), isOpen: true })
  }
  return steps
}

interface TimedAttempt {
  number: number
  start: number
  end: number | undefined
  processors: ActivityEventDetail['history'][number]['processors']
  run: string | undefined
}

/**
 * Returns the attempts of an event. For events of older releases, which have no history, returns only the
 * last attempt.
 */
function attemptsOf(event: ActivityEventDetail): TimedAttempt[] {
  const { history, attempts, startedAt, finishedAt } = event
  if (history.length > 0) {
    const first = Math.max(0, attempts - history.length)
    return history.map(({ startedAt, endedAt, processors, run }, index) => ({
      number: first + index + 1,
      start: Date.parse(startedAt),
      end: endedAt === undefined ? undefined : Date.parse(endedAt),
      processors,
      run
    }))
  }
  if (!startedAt || attempts === 0) return []
  const end = finishedAt === undefined ? undefined : Date.parse(finishedAt)
  return [
    { number: attempts, start: Date.parse(startedAt), end, processors: event.processors, run: event.run }
  ]
}

/** Returns the steps of an attempt's processors, which run sequentially. */
function parts(processors: TimedAttempt['processors'], start: number, end: number): Step[] {
  let at = start
  return Object.entries(processors).map(([label, { outcome, milliseconds, code }]) => {
    const from = Math.min(at, end)
    at = milliseconds === undefined ? end : from + milliseconds
    const tone = isTone(outcome) ? outcome : 'started'
    const step: Step = { label, isPart: true, tone, start: from, end: at, detail: code ?? outcome }
    return milliseconds === undefined ? { ...step, isOpen: true as const } : step
  })
}

const isTone = (outcome: string): outcome is 'succeeded' | 'failed' | 'dead' | 'started' =>
  ['succeeded', 'failed', 'dead', 'started'].includes(outcome)

const partsAfter = (steps: readonly Step[]): number =>
  steps.length - 1 - steps.findLastIndex(({ isPart }) => !isPart)

const arrival = ({ source }: ActivityEventDetail): string => {
  switch (source) {
    case 'reconcile':
      return 'Found by reconcile'
    case 'poll':
      return 'Waited in the poll channel'
    default:
      return 'Delivered by Cloudinary'
  }
}

const waitLabel = (index: number, number: number): string => {
  if (index > 0) return 'Waited for the next attempt'
  return number > 1 ? 'Earlier attempts (no longer kept)' : 'Waited in the queue'
}
