import type { CloudinaryClients } from '../cloudinary/clients.ts'
import type { Config } from '../config.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { Attempt, Journal } from '../journal/journal.ts'
import type { JournalCall } from '../journal/journal-retry.ts'
import { type ProcessorRecord, type ProcessorRecords, recordNamed } from '../journal/processor-record.ts'
import type { StateStore } from '../journal/processor-state.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { DeadLetter, Processor } from '../processor.ts'
import type { DeadLetterSender } from '../queue/dead-letter-sender.ts'
import { encodeMessage } from '../queue/message-codec.ts'
import type { Tracing } from '../tracing/tracing.ts'
import { type AttemptPlan, nextRunAt, pendingProcessors, planAttempt, startRecordOf } from './attempt-plan.ts'
import {
  attemptOutcome,
  attemptsOf,
  describeError,
  endedRecord,
  exhaustedRun,
  type FailureCause,
  isExhausted,
  withMaximumWait
} from './attempt-records.ts'
import { outageDelaySeconds } from './backoff.ts'
import { type EventOutcome, EventReport, type Retry } from './event-report.ts'
import type { PayloadCheck } from './payload-check.ts'
import { type FailedRun, type ProcessorRun, runProcessor } from './run-processor.ts'
import { selectProcessors } from './select-processors.ts'

export interface EventHandlerOptions {
  processors: readonly Processor[]
  /** Includes the variables that the processors require. */
  config: Config
  clients: Pick<CloudinaryClients, 'for' | 'breaker'>
  /** Before `isOwnKey` returns false, it reads the secret again, unless it has read it recently. */
  environments: { isOwnKey: (cloudName: string, apiKey: string) => boolean | Promise<boolean> }
  journal: Pick<Journal, 'identify' | 'startAttempt' | 'record' | 'ignore'>
  state: Pick<StateStore, 'of'>
  deadLetters: Pick<DeadLetterSender, 'put'>
  payloadCheck: Pick<PayloadCheck, 'check'>
  log: Logger
  metrics: Metrics
  tracing?: Tracing | undefined
  /** Called when an event starts for the first time, with the time since its receipt, in milliseconds. */
  onFirstStart?: ((waitedMs: number) => void) | undefined
  /** Called when the dead-letter queue has stored an event. Must return at once and never throw. */
  onDeadLetter?: ((event: AssetEvent, letter: DeadLetter) => void) | undefined
  /** Milliseconds since the epoch. */
  clock: () => number
  /** A number from 0 up to 1. */
  random: () => number
}

interface EventContext extends EventHandlerOptions {
  event: AssetEvent
  signal: AbortSignal
  report: EventReport
}

/** Runs the processors that are due for an event, records the outcome in the journal, and reports it. */
export async function handleEvent(
  received: AssetEvent,
  signal: AbortSignal,
  options: EventHandlerOptions
): Promise<EventOutcome> {
  const own = await recognizeOwn(received, options)
  let report = new EventReport(own, options)
  const event = await options.journal.identify(own, { signal, log: report.log })
  if (event !== own) report = new EventReport(event, options)
  const outcome = await processEvent({ ...options, event, signal, report })
  report.ended(outcome)
  return outcome
}

/**
 * Marks an event as own if the listener made the change: the web task may not have seen a newly rotated key
 * yet.
 */
async function recognizeOwn(event: AssetEvent, { environments }: EventHandlerOptions): Promise<AssetEvent> {
  const { environment, origin } = event
  if (origin.own || origin.id === null || origin.source === 'ui') return event
  if (!(await environments.isOwnKey(environment, origin.id))) return event
  return { ...event, origin: { ...origin, own: true } }
}

async function processEvent(context: EventContext): Promise<EventOutcome> {
  const { event, journal, clients, payloadCheck, report, clock, random } = context
  const selection = selectProcessors(event, context.processors)
  if (selection.outcome === 'ignored') {
    await journal.ignore(event, selection.reason, journalCall(context))
    payloadCheck.check(event, report.log)
    return selection
  }
  const breaker = clients.breaker(event.environment)
  const admission = breaker.admit()
  if (admission.outcome === 'wait') {
    const now = clock()
    const pauseSeconds = Math.ceil((admission.until - now) / 1000 + random())
    const delaySeconds = Math.max(pauseSeconds, outageDelaySeconds(now - admission.since, random()))
    return { outcome: 'deferred', delaySeconds }
  }
  try {
    return await attemptEvent(selection.processors, context)
  } finally {
    if (admission.probe) breaker.release()
  }
}

async function attemptEvent(processors: readonly Processor[], context: EventContext): Promise<EventOutcome> {
  const { event, journal, payloadCheck, report, clock } = context
  const plan = await journal.startAttempt(
    event,
    (entry) => planAttempt(event, processors, entry, clock()),
    journalCall(context)
  )
  switch (plan.outcome) {
    case 'finished':
      return { outcome: 'duplicate' }
    case 'waiting':
      return { outcome: 'deferred', delaySeconds: secondsUntil(plan.until, context) }
    case 'due':
      if (isFirst(event, plan.attempt)) payloadCheck.check(event, report.log)
      return runDue(processors, plan, { ...context, event: plan.event })
  }
}

/** Runs the due processors in order. One write records the outcome of each and the start of the next. */
async function runDue(
  processors: readonly Processor[],
  { due, started, attempt }: Extract<AttemptPlan, { outcome: 'due' }> & { attempt: Attempt },
  context: EventContext
): Promise<EventOutcome> {
  const { event, journal, signal, clock, random } = context
  const call = journalCall(context)
  const retries: Retry[] = []
  let records: ProcessorRecords = { ...attempt.before, ...started }
  let result = attemptOutcome(records, false)
  // the pending processors are no longer configured, which finishes the event
  if (due.length === 0) await journal.record(attempt, records, result, call)

  for (const [index, processor] of due.entries()) {
    const before = recordNamed(attempt.before, processor.name)
    const run = withMaximumWait(await runOne(processor, before, context), attempt.openedAt)
    if (run.outcome === 'failed' && signal.reason?.code === 'LEASE_LOST') {
      // another worker may have started the event; then its records are the valid ones
      retries.push({ run, attempt: attemptsOf(before, event.run) + 1, at: clock() })
      return { outcome: 'retrying', retries, delaySeconds: 0 }
    }
    const record = endedRecord(run, causeOf(run, before, context), { event, before, now: clock(), random })
    if (run.outcome === 'failed' && record.outcome === 'dead') await deadLetter(run, context)
    if (run.outcome === 'failed' && record.outcome === 'failed') {
      retries.push({ run, attempt: record.attempts, at: Date.parse(record.notBefore) })
    }
    const next = due[index + 1]
    records = { ...records, [processor.name]: record, ...startRecordOf(event, next, records, clock()) }
    result = attemptOutcome(records, pendingProcessors(event, processors, records).length > 0)
    if (!(await journal.record(attempt, records, next ? undefined : result, call))) {
      return { outcome: 'superseded', delaySeconds: 0 }
    }
  }
  switch (result.status) {
    case 'done':
      return { outcome: 'processed' }
    case 'dead':
      return { outcome: 'dead' }
    case 'retrying':
      return {
        outcome: 'retrying',
        retries,
        delaySeconds: secondsUntil(nextRunAt(event, processors, records), context)
      }
  }
}

async function runOne(
  processor: Processor,
  before: ProcessorRecord | undefined,
  { event, clients, config, signal, state, report, tracing }: EventContext
): Promise<ProcessorRun> {
  const { name } = processor
  if (isExhausted(before, event.run)) return exhaustedRun(name)
  const work = () =>
    runProcessor(processor, event, {
      cloudinary: (limited) => clients.for(event.environment, limited),
      config,
      log: report.log,
      signal,
      state
    })
  const run = await (tracing ? tracing.processor(name, work) : work())
  report.ran(run)
  return run
}

/**
 * Returns the cause of a failed run. Must be called right after the run: later, the breaker may have counted
 * a response to another event.
 */
function causeOf(
  run: ProcessorRun,
  before: ProcessorRecord | undefined,
  { event, clients, signal }: EventContext
): FailureCause {
  if (run.outcome === 'succeeded') return 'processor'
  if (signal.aborted) return 'interruption'
  if (run.failure.kind === 'rate-limited') return 'cloudinary'
  const lastTriedAt = before ? Date.parse(before.at) : Number.NEGATIVE_INFINITY
  return clients.breaker(event.environment).answersSince(lastTriedAt) ? 'processor' : 'cloudinary'
}

async function deadLetter(run: FailedRun, context: EventContext): Promise<void> {
  const { event, deadLetters, report } = context
  const reason = { ...describeError(run.error), processor: run.processor }
  const id = [event.id, run.processor, ...(event.run ? [event.run.id] : [])].join('.')
  // the message has the id that the journal gave the event, so that a redrive continues this event
  await deadLetters.put(id, encodeMessage(event), reason)
  report.deadLettered(run)
  context.onDeadLetter?.(event, reason)
}

const isFirst = ({ run }: AssetEvent, { before }: Attempt): boolean =>
  run === undefined && Object.keys(before).length === 0

const journalCall = ({ signal, report }: EventContext): JournalCall => ({ signal, log: report.log })

const secondsUntil = (time: number, { clock }: EventContext): number =>
  Math.max(0, Math.ceil((time - clock()) / 1000))
