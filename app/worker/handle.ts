import type { CloudinaryClients } from '../cloudinary/clients.ts'
import type { Environments } from '../cloudinary/environments.ts'
import type { AssetEvent } from '../cloudinary/event.ts'
import { ListenerError } from '../errors.ts'
import type { Journal, ProcessorRecord, Verdict } from '../journal/journal.ts'
import type { StateStore } from '../journal/state.ts'
import type { Processor } from '../listener.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { DeadLetters } from '../queue/dead-letters.ts'
import type { Disposition, ReceivedMessage } from '../queue/inbox.ts'
import { decodeMessage } from '../queue/message.ts'
import { handBackDelaySeconds, limitDelaySeconds, retryDelaySeconds } from './backoff.ts'
import { type Failure, type Run, run, select } from './dispatch.ts'
import { describeError, isFinal, recordOf, verdictOf } from './records.ts'
import { describeEvent, Report } from './report.ts'

export interface HandleOptions {
  processors: readonly Processor[]
  clients: Pick<CloudinaryClients, 'for' | 'breaker'>
  environments: Pick<Environments, 'isOwnKey'>
  journal: Pick<Journal, 'begin' | 'record' | 'ignore'>
  state: Pick<StateStore, 'of'>
  deadLetters: Pick<DeadLetters, 'put'>
  log: Logger
  metrics: Metrics
  /** Milliseconds since the epoch. */
  clock: () => number
  /** A number from 0 up to 1. */
  random: () => number
}

/** Runs of an event that may fail before it is put aside. */
const MAXIMUM_ATTEMPTS = 12

const DELETE: Disposition = { kind: 'delete' }

/**
 * Does what a message asks for, and says what becomes of it: journal the attempt, run each processor that has not
 * succeeded yet, journal how it ended, put aside what cannot succeed.
 */
export async function handleMessage(
  message: ReceivedMessage,
  signal: AbortSignal,
  options: HandleOptions
): Promise<Disposition> {
  const { random, log, metrics } = options
  const decoded = decode(message)
  try {
    if (decoded.outcome === 'unreadable') return await putMessageAside(message, decoded.error, options)
    const disposition = await handleEvent(recognise(decoded.event, options), message, signal, options)
    if (disposition.kind === 'retry') noteAge(decoded.event, options)
    return disposition
  } catch (err) {
    if (decoded.outcome === 'event') noteAge(decoded.event, options)
    const retryInSeconds = handBackDelaySeconds(message.receiveCount, random())
    metrics.count('MessagesNotHandled', 1)
    log.error({ ...describeMessage(message), err, retryInSeconds }, 'message not handled; it comes again')
    return { kind: 'retry', delaySeconds: retryInSeconds }
  }
}

/**
 * SQS leaves a message out of its `ApproximateAgeOfOldestMessage` that it has given out again and again.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
function noteAge({ receivedAt, run }: AssetEvent, { metrics, clock }: HandleOptions): void {
  // an operator's run comes when he has the time for it
  if (!run) metrics.time('HandedBackAge', clock() - Date.parse(receivedAt))
}

/** What a line of the log says of a message: which event it holds, as the lines of the event itself do. */
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

/** Whoever stored it may not have known yet a key that was rotated in, and that workers call with already. */
function recognise(event: AssetEvent, { environments }: HandleOptions): AssetEvent {
  const { environment, origin } = event
  if (origin.own || origin.id === null || !environments.isOwnKey(environment, origin.id)) return event
  return { ...event, origin: { ...origin, own: true } }
}

async function putMessageAside(
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
  event: AssetEvent,
  message: ReceivedMessage,
  signal: AbortSignal,
  options: HandleOptions
): Promise<Disposition> {
  const { processors, clients, journal, clock, random } = options
  const report = new Report(event, options)
  const selection = select(event, processors)
  if (selection.outcome === 'ignored') {
    await journal.ignore(event, selection.reason)
    report.ignored(selection.reason)
    return DELETE
  }
  const breaker = clients.breaker(event.environment)
  const admission = breaker.admit()
  if (admission.outcome === 'wait') {
    const pauseSeconds = Math.ceil((admission.until - clock()) / 1000 + random())
    const delaySeconds = Math.max(pauseSeconds, handBackDelaySeconds(message.receiveCount, random()))
    return { kind: 'retry', delaySeconds }
  }
  try {
    return await runProcessors(event, selection.processors, message, signal, options, report)
  } finally {
    if (admission.probe) breaker.release()
  }
}

async function runProcessors(
  event: AssetEvent,
  processors: readonly Processor[],
  message: ReceivedMessage,
  signal: AbortSignal,
  options: HandleOptions,
  report: Report
): Promise<Disposition> {
  const { clients, journal, clock, random } = options
  const { log } = report
  const beginning = await journal.begin(event)
  if (beginning.outcome === 'finished') {
    report.duplicate()
    return DELETE
  }
  // by Map, since a processor may be named `constructor`
  const records = new Map(Object.entries(beginning.processors))
  const pending = processors.filter(({ name }) => !isFinal(records.get(name), event.run))
  const failures: Failure[] = []
  let anyCounts = false
  let verdict: Verdict | undefined

  for (const [index, processor] of pending.entries()) {
    const isExhausted = beginning.attempts > MAXIMUM_ATTEMPTS
    const ended: Run = isExhausted
      ? exhausted(processor)
      : await run(processor, event, {
          cloudinary: (limited) => clients.for(event.environment, limited),
          log,
          signal,
          state: options.state
        })
    if (!isExhausted) report.ran(ended)
    if (ended.outcome === 'failed' && signal.reason?.code === 'LEASE_LOST') {
      // another worker may have the event by now, and what that one notes must stand
      report.retried([...failures, ended], beginning.attempts, 0)
      return { kind: 'retry', delaySeconds: 0 }
    }
    // looked at once: a moment later another event's call may be answered
    const counts =
      ended.outcome === 'failed' &&
      ended.fault.kind !== 'rate-limited' &&
      !signal.aborted &&
      clients.breaker(event.environment).answersSince(lastTriedAt(records.get(processor.name)))
    const isLastAttempt = beginning.attempts >= MAXIMUM_ATTEMPTS
    const isDead =
      ended.outcome === 'failed' && (ended.fault.kind === 'permanent' || (isLastAttempt && counts))
    if (isDead) {
      await putAside(event, message, ended, options)
      report.deadLettered(ended)
    } else if (ended.outcome === 'failed') {
      failures.push(ended)
      anyCounts ||= counts
    }

    const record = recordOf(ended, isDead, event, clock)
    records.set(processor.name, record)
    if (index === pending.length - 1) verdict = verdictOf(records, failures, anyCounts)
    await journal.record(event.id, { name: processor.name, record }, verdict, signal, log)
  }
  if (verdict === undefined) {
    // what was pending is configured no longer
    verdict = verdictOf(records, [], false)
    await journal.record(event.id, undefined, verdict, signal, log)
  }
  if (verdict.status === 'done') report.processed()
  if (failures.length === 0) return DELETE
  const delaySeconds = Math.max(
    longestDelaySeconds(beginning.attempts, failures, options),
    anyCounts ? 0 : handBackDelaySeconds(message.receiveCount, random())
  )
  report.retried(failures, beginning.attempts, delaySeconds)
  return { kind: 'retry', delaySeconds }
}

async function putAside(
  event: AssetEvent,
  message: ReceivedMessage,
  failure: Failure,
  options: HandleOptions
) {
  const reason = { ...describeError(failure.error), processor: failure.processor }
  const id = [event.id, failure.processor, ...(event.run ? [event.run.id] : [])].join('.')
  await options.deadLetters.put(id, message.body, reason)
}

function exhausted(processor: Processor): Failure {
  const error = new ListenerError(
    'ATTEMPTS_EXHAUSTED',
    `${MAXIMUM_ATTEMPTS} attempts began and none was finished: the worker may have ended each time it ran`
  )
  return {
    outcome: 'failed',
    processor: processor.name,
    fault: { kind: 'permanent' },
    error,
    milliseconds: 0
  }
}

/** When a processor was last run for an event, in milliseconds since the epoch. */
function lastTriedAt(record: ProcessorRecord | undefined): number {
  return record ? Date.parse(record.at) : Number.NEGATIVE_INFINITY
}

/** Until all that failed may be tried again. */
function longestDelaySeconds(
  attempt: number,
  failures: readonly Failure[],
  { clock, random }: HandleOptions
): number {
  const delays = failures.map(({ fault }) =>
    'until' in fault && fault.until
      ? limitDelaySeconds(fault.until, clock(), random())
      : retryDelaySeconds(attempt, random())
  )
  return Math.max(...delays)
}
