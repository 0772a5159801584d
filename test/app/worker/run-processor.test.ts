import { inspect } from 'node:util'
import { pino } from 'pino'
import t from 'tap'
import { CloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'
import { PermanentError, RetryLaterError } from '../../../app/errors.ts'
import type { CloudinaryClient, Processor } from '../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { memoryState } from '../../../app/testing/memory-state.ts'
import { run, select } from '../../../app/worker/run-processor.ts'
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

const own = { apiKey: LOCAL_CLOUDINARY.apiKey }
const upload = sampleEvent('upload')

/** The names of the processors an event is for, or why it is for none. */
function chosen(...given: Parameters<typeof select>): readonly string[] | string {
  const selection = select(...given)
  return selection.outcome === 'selected' ? selection.processors.map(({ name }) => name) : selection.reason
}

t.test('an event is for the processors that are on its type or on all, in their order', async (t) => {
  const processors = [
    processor('all'),
    processor('uploads', { on: ['upload'] }),
    processor('renames', { on: ['rename', 'move'] }),
    processor('both', { on: ['rename', 'upload'] })
  ]
  t.strictSame(chosen(upload, processors), ['all', 'uploads', 'both'])
  t.strictSame(chosen(sampleEvent('move'), processors), ['all', 'renames'])
  t.strictSame(chosen(sampleEvent('unknown'), processors), ['all'], 'a type that nobody knows')
})

t.test('an event that no processor is on is ignored, and the reason names its type', async (t) => {
  t.equal(chosen(upload, []), 'no processor is on upload')
  t.equal(chosen(sampleEvent('unknown'), [processor('a', { on: ['upload'] })]), 'no processor is on unknown')
})

t.test("a change made with the listener's own key is for those alone that ask for it", async (t) => {
  const event = sampleEvent('resource_tags_changed', own)
  const asking = processor('asking', { ownChanges: true })
  t.strictSame(chosen(event, [processor('plain'), asking, processor('no', { ownChanges: false })]), [
    'asking'
  ])
  t.equal(chosen(event, [processor('plain')]), "a change made with the listener's own key")
  t.strictSame(chosen(upload, [processor('plain'), asking]), ['plain', 'asking'], 'of others, for all')
})

t.test('a processor that asks for own changes gets those of its types alone', async (t) => {
  const renames = processor('renames', { on: ['rename'], ownChanges: true })
  t.equal(chosen(sampleEvent('upload', own), [renames]), 'no processor is on upload')
  t.equal(
    chosen(sampleEvent('upload', own), [renames, processor('plain')]),
    "a change made with the listener's own key"
  )
})

t.test('eager results pass, since they answer our own calls', async (t) => {
  const event = sampleEvent('eager', own)
  t.ok(event.origin.own)
  t.strictSame(chosen(event, [processor('plain')]), ['plain'])
})

/** Runs a processor with a log whose lines are kept. */
async function runOne(
  given: Partial<Processor>,
  { signal = new AbortController().signal, clientFails = false } = {}
) {
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) })
  const cloudinary = {} as CloudinaryClient
  const signals: AbortSignal[] = []
  const { store, entries } = memoryState()
  const outcome = await run(processor('mine', given), upload, {
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

t.test('a processor is given the event, the client of its environment, a log and a signal', async (t) => {
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
  t.strictSame(signals, [context.signal], "the client's calls end with the signal")
  t.notOk(signal.aborted)
  t.match(lines, [{ processor: 'mine', msg: 'hello' }])
})

t.test('the note of a processor is kept, and an empty one is none', async (t) => {
  t.match((await runOne({ handle: async () => 'did it' })).outcome, { outcome: 'succeeded', note: 'did it' })
  t.match((await runOne({ handle: () => 'did it' })).outcome, { note: 'did it' })
  const note = 'sent to https://hooks.example/CAPABILITY'
  t.match((await runOne({ handle: () => note })).outcome, { note: 'sent to https://hooks.example/…' })
  t.equal(((await runOne({ handle: () => '' })).outcome as { note?: string }).note, undefined)
  t.equal(((await runOne({ handle: () => null as never })).outcome as { note?: string }).note, undefined)
})

t.test('a note that is no text becomes one, whatever it is', async (t) => {
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

t.test('the time a run took is a whole number of milliseconds', async (t) => {
  for (const handle of [async () => undefined, rejecting(new Error('no'))]) {
    const { milliseconds } = (await runOne({ handle })).outcome
    t.ok(Number.isInteger(milliseconds) && milliseconds >= 0 && milliseconds < 10_000)
  }
})

t.test('an event is for those alone whose `when` is true', async (t) => {
  const never = processor('never', { when: () => false })
  const always = processor('always', { when: (event) => event === upload })
  t.strictSame(chosen(upload, [never, always]), ['always'])
  t.equal(chosen(upload, [never]), 'no processor wants it, by its `when`')
})

t.test('a `when` that throws is a failure of its processor, not of the event', async (t) => {
  const when = () => {
    throw new Error('broken')
  }
  t.strictSame(chosen(upload, [processor('broken', { when })]), ['broken'])
  t.match((await runOne({ when })).outcome, { outcome: 'failed', error: { message: 'broken' } })
})

t.test('a `when` that returns no boolean is a permanent failure of its processor', async (t) => {
  for (const odd of [undefined, 'yes', rejecting(new Error('broken'))(), Promise.resolve(false)]) {
    const when = (() => odd) as unknown as NonNullable<Processor['when']>
    t.strictSame(chosen(upload, [processor('odd', { when })]), ['odd'])
    t.match((await runOne({ when })).outcome, {
      outcome: 'failed',
      fault: { kind: 'permanent' },
      error: { code: 'WHEN_INVALID' }
    })
  }
})

t.test('whatever is thrown means: try again later', async (t) => {
  const error = new Error('socket hang up')
  const thrower = () => {
    throw error
  }
  for (const given of [{ handle: thrower }, { handle: async () => thrower() }, { when: thrower }]) {
    const { outcome } = await runOne(given)
    t.match(outcome, { outcome: 'failed', processor: 'mine', fault: { kind: 'retryable' } })
    t.equal((outcome as { error: unknown }).error, error)
  }
  for (const odd of [undefined, null, 'text']) {
    t.match((await runOne({ handle: rejecting(odd) })).outcome, {
      outcome: 'failed',
      fault: { kind: 'retryable' }
    })
  }
})

t.test('an error may say before when trying again is of no use', async (t) => {
  const until = new Date('2026-06-01T14:00:00Z')
  const { outcome } = await runOne({ handle: rejecting(new RetryLaterError('busy', until)) })
  t.match(outcome, { outcome: 'failed', fault: { kind: 'retryable', until } })
})

t.test('what a processor remembers is its own', async (t) => {
  const { remembered } = await runOne({ handle: (_event, { state }) => state.set('key', 7) })
  t.strictSame([...remembered], [['mine/key', '7']])
})

t.test('a permanent error means: never again', async (t) => {
  const { outcome } = await runOne({ handle: rejecting(new PermanentError('no such field')) })
  t.match(outcome, { outcome: 'failed', fault: { kind: 'permanent' }, error: { message: 'no such field' } })
})

t.test('a fault of Cloudinary says itself what to do', async (t) => {
  const until = new Date('2026-06-01T14:00:00Z')
  for (const fault of [
    { kind: 'retryable' as const },
    { kind: 'permanent' as const },
    { kind: 'rate-limited' as const, until }
  ]) {
    const error = new CloudinaryError('CLOUDINARY_REJECTED', 'add tag', fault)
    const { outcome } = await runOne({ handle: rejecting(error) })
    t.match(outcome, { outcome: 'failed', fault, error })
  }
})

t.test('without credentials for the environment the run fails, to be tried again', async (t) => {
  const { outcome } = await runOne({}, { clientFails: true })
  t.match(outcome, { outcome: 'failed', fault: { kind: 'retryable' }, error: { message: 'no credentials' } })
})

t.test('a processor is not begun when its time is up', async (t) => {
  const reason = new Error('stopping')
  const { outcome } = await runOne({ handle: () => 'ran' }, { signal: AbortSignal.abort(reason) })
  t.match(outcome, { outcome: 'failed', fault: { kind: 'retryable' } })
  t.equal((outcome as { error: unknown }).error, reason)
})

t.test('a processor that does not end in time is aborted, and tried again', async (t) => {
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
    fault: { kind: 'retryable' },
    error: { code: 'PROCESSOR_TIMEOUT', message: 'it did not end within 0.02 s' }
  })
  t.match(aborted, { code: 'PROCESSOR_TIMEOUT' })
})

t.test('a processor that does not heed its signal is not waited for when the worker stops', async (t) => {
  const stopping = new AbortController()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const ended = runOne(
    {
      handle: () => {
        begin()
        return new Promise<void>(() => {})
      }
    },
    { signal: stopping.signal }
  )
  await begun
  stopping.abort(new Error('stopping'))
  t.match((await ended).outcome, { outcome: 'failed', error: { message: 'stopping' } })
})
