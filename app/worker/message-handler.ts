import type { CloudinaryClients } from '../cloudinary/clients.ts'
import type { Config } from '../config.ts'
import type { Environments } from '../credentials/environments.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { Attempt, Journal } from '../journal/journal.ts'
import type { ProcessorRecord, ProcessorRecords } from '../journal/processor-record.ts'
import type { StateStore } from '../journal/processor-state.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Processor } from '../processor.ts'
import type { DeadLetters } from '../queue/dead-letters.ts'
import { decodeMessage, encodeMessage } from '../queue/message-codec.ts'
import type { Disposition, ReceivedMessage } from '../queue/message-receiver.ts'
import { type Plan, planOf, recordNamed, startOf } from './attempt-plan.ts'
import {
  attemptsOf,
  type Charge,
  describeError,
  endedRecord,
  exhaustedRun,
  isExhausted,
  isFinal,
  notBeforeOf,
  verdictOf,
  withBoundedWait
} from './attempt-records.ts'
import { outageDelaySeconds, uncountedDelaySeconds } from './backoff.ts'
import { describeEvent, Report, type Retry } from './event-report.ts'
import { type Failure, type Run, run, select } from './run-processor.ts'

export interface HandleOptions {
  processors: readonly Processor[]
  /** With what the processors require. */
  config: Config
  clients: Pick<CloudinaryClients, 'for' | 'breaker'>
  environments: Pick<Environments, 'isOwnKey'>
  journal: Pick<Journal, 'identify' | 'begin' | 'record' | 'ignore'>
  state: Pick<StateStore, 'of'>
  deadLetters: Pick<DeadLetters, 'put'>
  log: Logger
  metrics: Metrics
  /** Milliseconds since the epoch. */
  clock: () => number
  /** A number from 0 up to 1. */
  random: () => number
}

const DELETE: Disposition = { kind: 'delete' }

const RETRY_NOW: Disposition = { kind: 'retry', delaySeconds: 0 }

/**
 * Handles one message: begins an attempt in the journal, runs each processor that is due, records each outcome, and
 * dead-letters what cannot succeed.
 */
export async function handleMessage(
  message: ReceivedMessage,
  signal: AbortSignal,
  options: HandleOptions
): Promise<Disposition> {
  const { random, log, metrics } = options
  const decoded = decode(message)
  try {
    if (decoded.outcome === 'unreadable') return await deadLetterMessage(message, decoded.error, options)
    const disposition = await handleEvent(recognise(decoded.event, options), signal, options)
    if (disposition.kind === 'retry') noteAge(decoded.event, options)
    return disposition
  } catch (err) {
    if (decoded.outcome === 'event') noteAge(decoded.event, options)
    const retryInSeconds = uncountedDelaySeconds(message.receiveCount, random())
    metrics.count('MessagesNotHandled', 1)
    log.error(
      { ...describeMessage(message), err, retryInSeconds },
      'message handling failed; will be redelivered'
    )
    return { kind: 'retry', delaySeconds: retryInSeconds }
  }
}

/**
 * SQS leaves a message out of its `ApproximateAgeOfOldestMessage` that it has delivered again and again.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
function noteAge({ receivedAt, run }: AssetEvent, { metrics, clock }: HandleOptions): void {
  // an operator's run may come days later
  if (!run) metrics.time('RetryAge', clock() - Date.parse(receivedAt))
}

/** The fields of a log line about a message: its event's, as in the lines of the event itself. */
export function describeMessage(message: ReceivedMessage): object {
  const decoded = decode(message)
  return { messageId: message.id, ...(decoded.outcome === 'event' && describeEvent(decoded.event)) }
}

function decode({ body }: ReceivedMessage) {
  try {
    return { outcome: 'event', event: decodeMessage(body) } as const
  } catch (error) {
    return { outcome: 'unreadable', error } as const
  }
}

/** The web task may not have seen a newly rotated key yet, which workers call with already. */
function recognise(event: AssetEvent, { environments }: HandleOptions): AssetEvent {
  const { environment, origin } = event
  if (origin.own || origin.id === null || !environments.isOwnKey(environment, origin.id)) return event
  return { ...event, origin: { ...origin, own: true } }
}

async function deadLetterMessage(
  { id, body }: ReceivedMessage,
  error: unknown,
  { deadLetters, log, metrics }: HandleOptions
): Promise<Disposition> {
  const reason = describeError(error)
  await deadLetters.put(id, body, reason)
  metrics.count('EventsDeadLettered', 1)
  log.error({ ...reason, messageId: id }, 'message dead-lettered')
  return DELETE
}

async function handleEvent(
  received: AssetEvent,
  signal: AbortSignal,
  options: HandleOptions
): Promise<Disposition> {
  const { processors, clients, journal, clock, random } = options
  const waiting = { signal, log: options.log.child(describeEvent(received)) }
  const event = await journal.identify(received, waiting)
  const report = new Report(event, options)
  const selection = select(event, processors)
  if (selection.outcome === 'ignored') {
    await journal.ignore(event, selection.reason, { signal, log: report.log })
    report.ignored(selection.reason)
    return DELETE
  }
  const breaker = clients.breaker(event.environment)
  const admission = breaker.admit()
  if (admission.outcome === 'wait') {
    const now = clock()
    const pauseSeconds = Math.ceil((admission.until - now) / 1000 + random())
    const delaySeconds = Math.max(pauseSeconds, outageDelaySeconds(now - admission.since, random()))
    return { kind: 'retry', delaySeconds }
  }
  try {
    return await attempt(event, selection.processors, { ...options, signal, report })
  } finally {
    if (admission.probe) breaker.release()
  }
}

interface AttemptOptions extends HandleOptions {
  signal: AbortSignal
  report: Report
}

async function attempt(
  event: AssetEvent,
  processors: readonly Processor[],
  options: AttemptOptions
): Promise<Disposition> {
  const { journal, signal, report, clock } = options
  const plan = await journal.begin(event, (entry) => planOf(event, processors, entry, clock()), {
    signal,
    log: report.log
  })
  switch (plan.outcome) {
    case 'finished':
      report.duplicate()
      return DELETE
    case 'waiting':
      return retryAt(plan.until, clock())
    case 'due':
      return runDue(event, processors, plan, options)
  }
}

const retryAt = (time: number, now: number): Disposition => ({
  kind: 'retry',
  delaySeconds: Math.max(0, Math.ceil((time - now) / 1000))
})

/** Runs what is due, one processor after the other, and records each outcome together with the start of the next. */
async function runDue(
  event: AssetEvent,
  processors: readonly Processor[],
  { due, started, attempt }: Extract<Plan, { outcome: 'due' }> & { attempt: Attempt },
  options: AttemptOptions
): Promise<Disposition> {
  const { journal, signal, report, clock, random } = options
  const waiting = { signal, log: report.log }
  const retries: Retry[] = []
  let records: ProcessorRecords = { ...attempt.before, ...started }
  const unfinished = () => processors.filter(({ name }) => !isFinal(recordNamed(records, name), event.run))
  const nextRun = () =>
    Math.min(...unfinished().map(({ name }) => notBeforeOf(recordNamed(records, name), event.run)))

  for (const [index, processor] of due.entries()) {
    const before = recordNamed(attempt.before, processor.name)
    const ended = withBoundedWait(await runOne(event, processor, before, options), attempt.openedAt)
    if (ended.outcome === 'failed' && signal.reason?.code === 'LEASE_LOST') {
      // another worker may have begun the event: what that one records stands
      report.retried([
        ...retries,
        { failure: ended, attempt: attemptsOf(before, event.run) + 1, at: clock() }
      ])
      return RETRY_NOW
    }
    const charge = chargeOf(event, before, ended, options)
    const record = endedRecord(ended, charge, { event, before, now: clock(), random })
    if (ended.outcome === 'failed' && record.outcome === 'dead') await deadLetter(event, ended, options)
    if (ended.outcome === 'failed' && record.outcome === 'failed') {
      retries.push({ failure: ended, attempt: record.attempts, at: Date.parse(record.notBefore) })
    }
    const next = due[index + 1]
    records = { ...records, [processor.name]: record, ...startOf(event, next, records, clock()) }
    const verdict = next ? undefined : verdictOf(records, unfinished().length > 0)
    if (!(await journal.record(attempt, records, verdict, waiting))) {
      report.superseded()
      return RETRY_NOW
    }
  }
  // the processors that were pending are no longer configured
  if (due.length === 0) await journal.record(attempt, records, verdictOf(records, false), waiting)
  if (unfinished().length > 0) {
    if (retries.length > 0) report.retried(retries)
    return retryAt(nextRun(), clock())
  }
  if (!Object.values(records).some(({ outcome }) => outcome === 'dead')) report.processed()
  return DELETE
}

async function runOne(
  event: AssetEvent,
  processor: Processor,
  before: ProcessorRecord | undefined,
  { clients, config, signal, state, report }: AttemptOptions
): Promise<Run> {
  if (isExhausted(before, event.run)) return exhaustedRun(processor.name)
  const ended = await run(processor, event, {
    cloudinary: (limited) => clients.for(event.environment, limited),
    config,
    log: report.log,
    signal,
    state
  })
  report.ran(ended)
  return ended
}

/** Decided right after the run: a moment later another event's call may be answered. */
function chargeOf(
  event: AssetEvent,
  before: ProcessorRecord | undefined,
  ended: Run,
  { clients, signal }: AttemptOptions
): Charge {
  if (ended.outcome === 'succeeded') return 'counts'
  if (signal.aborted) return 'interrupted'
  if (ended.fault.kind === 'rate-limited') return 'waits'
  const lastTriedAt = before ? Date.parse(before.at) : Number.NEGATIVE_INFINITY
  return clients.breaker(event.environment).answersSince(lastTriedAt) ? 'counts' : 'waits'
}

async function deadLetter(
  event: AssetEvent,
  failure: Failure,
  { deadLetters, report }: AttemptOptions
): Promise<void> {
  const reason = { ...describeError(failure.error), processor: failure.processor }
  const id = [event.id, failure.processor, ...(event.run ? [event.run.id] : [])].join('.')
  // as it was identified here, so that a redrive continues this event
  await deadLetters.put(id, encodeMessage(event), reason)
  report.deadLettered(failure)
}
