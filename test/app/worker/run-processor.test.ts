import { inspect } from 'node:util'
import { pino } from 'pino'
import t from 'tap'
import { CloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'
import { PermanentError, RetryLaterError } from '../../../app/errors.ts'
import type { CloudinaryClient, Processor } from '../../../app/listener.ts'
import { memoryState } from '../../../app/testing/memory-state.ts'
import { runProcessor } from '../../../app/worker/run-processor.ts'
import { collectGarbage } from '../../support/collect-garbage.ts'
import { DEFAULT_CONFIG } from '../../support/config.ts'
import { sampleEvent } from '../../support/events.ts'

const processor = (name: string, given: Partial<Processor> = {}): Processor => ({
  name,
  on: ['*'],
  handle: () => undefined,
  ...given
})

const rejecting = (error: unknown) => async (): Promise<never> => {
  throw error
}

const upload = sampleEvent('upload')

/** Runs a processor, and returns its outcome and log. */
async function runOne(
  given: Partial<Processor>,
  { signal = new AbortController().signal, clientFails = false } = {}
) {
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) })
  const cloudinary = {} as CloudinaryClient
  const signals: AbortSignal[] = []
  const { store, entries } = memoryState()
  const outcome = await runProcessor(processor('mine', given), upload, {
    config: DEFAULT_CONFIG,
    log,
    signal,
    state: store,
    cloudinary: (each) => {
      signals.push(each)
      if (clientFails) throw new Error('no credentials')
      return cloudinary
    }
  })
  return { outcome, lines, cloudinary, signal, signals, remembered: entries }
}

t.test('passes the event, the client of its environment, a log and a signal to the processor', async (t) => {
  const given: Parameters<Processor['handle']>[] = []
  const { outcome, lines, cloudinary, signal, signals } = await runOne({
    handle: (...all) => {
      given.push(all)
      all[1].log.info('hello')
    }
  })
  t.match(outcome, { outcome: 'succeeded', processor: 'mine', note: undefined })
  const [event, context] = given[0]!
  t.equal(event, upload)
  t.equal(context.cloudinary, cloudinary)
  t.equal(context.config, DEFAULT_CONFIG)
  t.strictSame(signals, [context.signal], "the signal aborts the client's calls")
  t.notOk(signal.aborted)
  t.match(lines, [{ processor: 'mine', msg: 'hello' }])
})

t.test('returns the note, with secrets masked, or undefined if it is empty', async (t) => {
  t.match((await runOne({ handle: async () => 'did it' })).outcome, { outcome: 'succeeded', note: 'did it' })
  t.match((await runOne({ handle: () => 'did it' })).outcome, { note: 'did it' })
  const note = 'sent to https://hooks.example/CAPABILITY'
  t.match((await runOne({ handle: () => note })).outcome, { note: 'sent to https://hooks.example/…' })
  t.equal(((await runOne({ handle: () => '' })).outcome as { note?: string }).note, undefined)
  t.equal(((await runOne({ handle: () => null as never })).outcome as { note?: string }).note, undefined)
})

t.test('converts any note to a string', async (t) => {
  const hostile = {
    toString: () => {
      throw new Error('no text')
    },
    [inspect.custom]: () => {
      throw new Error('no inspection')
    }
  }
  const anything: unknown[] = [
    /(?<year>\d+)/.exec('2026')!.groups, // no prototype
    hostile,
    Symbol('s'),
    7,
    0,
    false,
    10n,
    [1, 2],
    () => {}
  ]
  for (const returned of anything) {
    const { outcome } = await runOne({ handle: () => returned as string })
    t.match(outcome, { outcome: 'succeeded', note: String })
  }
})

t.test('measures the run in whole milliseconds', async (t) => {
  for (const handle of [async () => undefined, rejecting(new Error('no'))]) {
    const { milliseconds } = (await runOne({ handle })).outcome
    t.ok(Number.isInteger(milliseconds) && milliseconds >= 0 && milliseconds < 10_000)
  }
})

t.test('fails if `when` throws', async (t) => {
  const when = () => {
    throw new Error('broken')
  }
  t.match((await runOne({ when })).outcome, { outcome: 'failed', error: { message: 'broken' } })
})

t.test('fails permanently if `when` does not return a boolean', async (t) => {
  for (const odd of [undefined, 'yes', rejecting(new Error('broken'))(), Promise.resolve(false)]) {
    const when = (() => odd) as unknown as NonNullable<Processor['when']>
    t.match((await runOne({ when })).outcome, {
      outcome: 'failed',
      failure: { kind: 'permanent' },
      error: { code: 'WHEN_INVALID' }
    })
  }
})

t.test('any other error is retryable', async (t) => {
  const error = new Error('socket hang up')
  const thrower = () => {
    throw error
  }
  for (const given of [{ handle: thrower }, { handle: async () => thrower() }, { when: thrower }]) {
    const { outcome } = await runOne(given)
    t.match(outcome, { outcome: 'failed', processor: 'mine', failure: { kind: 'retryable' } })
    t.equal((outcome as { error: unknown }).error, error)
  }
  for (const odd of [undefined, null, 'text']) {
    t.match((await runOne({ handle: rejecting(odd) })).outcome, {
      outcome: 'failed',
      failure: { kind: 'retryable' }
    })
  }
})

t.test('a RetryLaterError sets the earliest retry time', async (t) => {
  const until = new Date('2026-06-01T14:00:00Z')
  const { outcome } = await runOne({ handle: rejecting(new RetryLaterError('busy', until)) })
  t.match(outcome, { outcome: 'failed', failure: { kind: 'retryable', until } })
})

t.test('gives each processor its own state', async (t) => {
  const { remembered } = await runOne({ handle: (_event, { state }) => state.set('key', 7) })
  t.strictSame([...remembered], [['mine/key', '7']])
})

t.test('a PermanentError is permanent', async (t) => {
  const { outcome } = await runOne({ handle: rejecting(new PermanentError('no such field')) })
  t.match(outcome, { outcome: 'failed', failure: { kind: 'permanent' }, error: { message: 'no such field' } })
})

t.test('keeps the classification of a CloudinaryError', async (t) => {
  const until = new Date('2026-06-01T14:00:00Z')
  for (const failure of [
    { kind: 'retryable' as const },
    { kind: 'permanent' as const },
    { kind: 'rate-limited' as const, until }
  ]) {
    const error = new CloudinaryError('CLOUDINARY_REJECTED', 'add tag', failure)
    const { outcome } = await runOne({ handle: rejecting(error) })
    t.match(outcome, { outcome: 'failed', failure, error })
  }
})

t.test('missing credentials for the environment are retryable', async (t) => {
  const { outcome } = await runOne({}, { clientFails: true })
  t.match(outcome, {
    outcome: 'failed',
    failure: { kind: 'retryable' },
    error: { message: 'no credentials' }
  })
})

t.test('does not start a processor after the signal has aborted', async (t) => {
  const reason = new Error('stopping')
  const { outcome } = await runOne({ handle: () => 'ran' }, { signal: AbortSignal.abort(reason) })
  t.match(outcome, { outcome: 'failed', failure: { kind: 'retryable' } })
  t.equal((outcome as { error: unknown }).error, reason)
})

t.test('aborts a processor on its timeout', async (t) => {
  let aborted: unknown
  const hangs = (_event: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise<void>(() => {
      signal.addEventListener('abort', () => {
        aborted = signal.reason
      })
    })
  const { outcome } = await runOne({ timeoutSeconds: 0.02, handle: hangs })
  t.match(outcome, {
    outcome: 'failed',
    failure: { kind: 'retryable' },
    error: { code: 'PROCESSOR_TIMEOUT', message: /\b0\.02 s/ }
  })
  t.match(aborted, { code: 'PROCESSOR_TIMEOUT' })
})

t.test('does not wait for a processor that ignores its signal', async (t) => {
  const stopping = new AbortController()
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  const ended = runOne(
    {
      handle: () => {
        start()
        return new Promise<void>(() => {})
      }
    },
    { signal: stopping.signal }
  )
  await started
  stopping.abort(new Error('stopping'))
  t.match((await ended).outcome, { outcome: 'failed', error: { message: 'stopping' } })
})

t.test('a listener that a processor leaves on its signal keeps nothing in memory', async (t) => {
  const stopping = new AbortController()
  const left: WeakRef<AbortSignal>[] = []
  await runOne(
    {
      handle: (_event, { signal }) => {
        signal.addEventListener('abort', () => {})
        left.push(new WeakRef(signal))
      }
    },
    { signal: stopping.signal }
  )
  await collectGarbage()
  t.strictSame(
    left.map((signal) => signal.deref()),
    [undefined]
  )
  t.notOk(stopping.signal.aborted)
})
