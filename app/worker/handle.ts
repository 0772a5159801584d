import type { CloudinaryClients } from '../cloudinary/client.ts'
import type { AssetEvent } from '../cloudinary/event.ts'
import { ListenerError } from '../errors.ts'
import type { Journal, ProcessorRecord, Verdict } from '../journal/journal.ts'
import type { StateStore } from '../journal/state.ts'
import type { Processor } from '../listener.ts'
import { type Logger, serializeError } from '../logger.ts'
import type { DeadLetters } from '../queue/dead-letters.ts'
import type { Disposition, ReceivedMessage } from '../queue/inbox.ts'
import { decodeMessage } from '../queue/message.ts'
import { limitDelaySeconds, retryDelaySeconds } from './backoff.ts'
import { type Run, run, select } from './dispatch.ts'

export interface HandleOptions {
  processors: readonly Processor[]
  clients: Pick<CloudinaryClients, 'for' | 'breaker'>
  journal: Pick<Journal, 'begin' | 'record' | 'ignore'>
  state: Pick<StateStore, 'of'>
  deadLetters: Pick<DeadLetters, 'put'>
  log: Logger
  /** Milliseconds since the epoch. */
  clock: () => number
  /** A number from 0 up to 1. */
  random: () => number
}

/** Runs of an event that may fail before it is put aside. */
const MAXIMUM_ATTEMPTS = 12

/** When journal or dead-letter queue do not answer, a message comes again within so many seconds. */
const OUTAGE_SECONDS = 20

const DELETE: Disposition = { kind: 'delete' }

type Failure = Extract<Run, { outcome: 'failed' }>

/**
 * Does what a message asks for, and says what becomes of it: journal the attempt, run each processor that has not
 * succeeded yet, journal how it ended, put aside what cannot succeed.
 */
export async function handleMessage(
  message: ReceivedMessage,
  signal: AbortSignal,
  options: HandleOptions
): Promise<Disposition> {
  const { random, log } = options
  try {
    return await handleBody(message, signal, options)
  } catch (err) {
    const delaySeconds = 1 + Math.round(random() * OUTAGE_SECONDS)
    log.error(
      { err, messageId: message.id, retryInSeconds: delaySeconds },
      'message not handled; it comes again'
    )
    return { kind: 'retry', delaySeconds }
  }
}

async function handleBody(
  message: ReceivedMessage,
  signal: AbortSignal,
  options: HandleOptions
): Promise<Disposition> {
  let event: AssetEvent
  try {
    event = decodeMessage(message.body)
  } catch (error) {
    const reason = describe(error)
    await options.deadLetters.put(message.id, message.body, reason)
    options.log.error({ ...reason, messageId: message.id }, 'message dead-lettered')
    return DELETE
  }
  return handleEvent(event, message, signal, { ...options, log: options.log.child(about(event)) })
}

function about({
  id,
  type,
  environment,
  asset,
  traceId,
  run: operatorsRun
}: AssetEvent): Record<string, unknown> {
  return {
    eventId: id,
    type,
    environment,
    asset: asset?.publicId ?? asset?.assetId,
    traceId,
    run: operatorsRun?.kind
  }
}

async function handleEvent(
  event: AssetEvent,
  message: ReceivedMessage,
  signal: AbortSignal,
  options: HandleOptions
): Promise<Disposition> {
  const { processors, clients, journal, log, clock, random } = options
  const selection = select(event, processors)
  if (selection.outcome === 'ignored') {
    await journal.ignore(event, selection.reason)
    log.info({ outcome: 'ignored', reason: selection.reason }, 'event ignored')
    return DELETE
  }
  const breaker = clients.breaker(event.environment)
  const admission = breaker.admit()
  if (admission.outcome === 'wait') {
    return { kind: 'retry', delaySeconds: Math.ceil((admission.until - clock()) / 1000 + random()) }
  }
  try {
    return await runProcessors(event, selection.processors, message, signal, options)
  } finally {
    if (admission.probe) breaker.release()
  }
}

async function runProcessors(
  event: AssetEvent,
  processors: readonly Processor[],
  message: ReceivedMessage,
  signal: AbortSignal,
  options: HandleOptions
): Promise<Disposition> {
  const { clients, journal, log, clock } = options
  const beginning = await journal.begin(event)
  if (beginning.outcome === 'finished') {
    log.info({ outcome: 'duplicate' }, 'event was finished before')
    return DELETE
  }
  // by Map, since a processor may be named `constructor`
  const records = new Map(Object.entries(beginning.processors))
  const pending = processors.filter(({ name }) => !isFinal(records.get(name), event.run))
  const failures: Failure[] = []
  const counts = (failure: Failure) =>
    failure.fault.kind !== 'rate-limited' && !signal.aborted && clients.breaker(event.environment).isClosed

  for (const [index, processor] of pending.entries()) {
    const ended: Run =
      beginning.attempts > MAXIMUM_ATTEMPTS
        ? exhausted(processor)
        : await run(processor, event, {
            cloudinary: (limited) => clients.for(event.environment, limited),
            log,
            signal,
            state: options.state
          })
    const isLastAttempt = beginning.attempts >= MAXIMUM_ATTEMPTS
    const isDead =
      ended.outcome === 'failed' && (ended.fault.kind === 'permanent' || (isLastAttempt && counts(ended)))
    if (isDead) await putAside(event, message, ended, options)
    else if (ended.outcome === 'failed') failures.push(ended)
    else log.info({ ...ended }, 'event processed')

    const record = recordOf(ended, isDead, event, clock)
    records.set(processor.name, record)
    const verdict = index === pending.length - 1 ? verdictOf(records, failures, counts) : undefined
    await journal.record(event.id, { name: processor.name, record }, verdict, signal)
  }
  // what was pending may be configured no longer
  if (pending.length === 0) await journal.record(event.id, undefined, verdictOf(records, [], counts), signal)
  return conclude(beginning.attempts, failures, options)
}

/** Whether a processor is done with an event. A redrive has another go at the dead, a replay at all. */
function isFinal(record: ProcessorRecord | undefined, operatorsRun: AssetEvent['run']): boolean {
  if (record === undefined || record.outcome === 'failed') return false
  if (record.run === operatorsRun?.id) return true
  return operatorsRun?.kind !== 'replay' && (record.outcome === 'succeeded' || operatorsRun === undefined)
}

function recordOf(ended: Run, isDead: boolean, event: AssetEvent, clock: () => number): ProcessorRecord {
  return {
    at: new Date(clock()).toISOString(),
    milliseconds: ended.milliseconds,
    ...(event.run && { run: event.run.id }),
    ...(ended.outcome === 'succeeded'
      ? { outcome: ended.outcome, ...(ended.note && { note: ended.note }) }
      : { outcome: isDead ? 'dead' : 'failed', ...describe(ended.error) })
  }
}

function verdictOf(
  records: ReadonlyMap<string, ProcessorRecord>,
  failures: readonly Failure[],
  counts: (failure: Failure) => boolean
): Verdict {
  const last = failures.at(-1)
  const status = last
    ? 'retrying'
    : [...records.values()].some(({ outcome }) => outcome === 'dead')
      ? 'dead'
      : 'done'
  const failed = [...records].findLast(([, { outcome }]) => outcome !== 'succeeded')
  return {
    status,
    ...(last && !failures.some(counts) && { uncounted: true }),
    ...(failed &&
      'code' in failed[1] &&
      status !== 'done' && {
        lastError: { processor: failed[0], code: failed[1].code, message: failed[1].message }
      })
  }
}

async function putAside(
  event: AssetEvent,
  message: ReceivedMessage,
  failure: Failure,
  options: HandleOptions
) {
  const reason = { ...describe(failure.error), processor: failure.processor }
  const id = [event.id, failure.processor, ...(event.run ? [event.run.id] : [])].join('.')
  await options.deadLetters.put(id, message.body, reason)
  options.log.error({ processor: failure.processor, err: failure.error }, 'event dead-lettered')
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

/** Says what becomes of the message, by what failed and is to be tried again. */
function conclude(
  attempt: number,
  failures: readonly Failure[],
  { log, clock, random }: HandleOptions
): Disposition {
  if (failures.length === 0) return DELETE
  const delays = failures.map(({ fault }) =>
    'until' in fault && fault.until
      ? limitDelaySeconds(fault.until, clock(), random())
      : retryDelaySeconds(attempt, random())
  )
  const delaySeconds = Math.max(...delays)
  for (const { processor, fault, error, milliseconds } of failures) {
    log.warn(
      {
        processor,
        outcome: 'failed',
        fault: fault.kind,
        err: error,
        milliseconds,
        attempt,
        retryInSeconds: delaySeconds
      },
      'event failed; it will be tried again'
    )
  }
  return { kind: 'retry', delaySeconds }
}

function describe(error: unknown): { code: string; message: string } {
  const { code, type, message } = serializeError(error)
  return { code: code ?? type, message }
}
