import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import t from 'tap'
import type { Processor } from '../../../app/listener.ts'
import { SERIALIZERS } from '../../../app/logger.ts'
import { DeadLetterHooks, type DeadLetterHooksOptions } from '../../../app/worker/dead-letter-hooks.ts'
import { Recorder } from '../../../dev/cloudinary/recorder.ts'
import { DEFAULT_CONFIG } from '../../support/config.ts'
import { sampleEvent } from '../../support/events.ts'

const event = sampleEvent('upload')
const LETTER = { processor: 'tag', code: 'NO_FIELD', message: 'no such field' }

type Hook = NonNullable<Processor['deadLettered']>

/** Hooks of two processors, between which is one without a hook. */
function build(hooks: [Hook, Hook], options: Partial<DeadLetterHooksOptions> = {}) {
  const lines = new Recorder<Record<string, unknown>>(100)
  const write = (text: string) => {
    const line = JSON.parse(text)
    lines.add(line)
    lines.settle(line)
  }
  const own = { on: [], handle() {} }
  const processors: Processor[] = [
    { name: 'first', ...own, deadLettered: hooks[0] },
    { name: 'plain', on: ['upload'], handle() {} },
    { name: 'second', ...own, deadLettered: hooks[1] }
  ]
  const calls = new DeadLetterHooks({
    processors,
    config: DEFAULT_CONFIG,
    log: pino({ serializers: SERIALIZERS }, { write }),
    ...options
  })
  return { call: () => calls.call(event, LETTER), lines }
}

t.test('calls the hook of each processor that has one', async (t) => {
  const given: Parameters<Hook>[] = []
  const hook: Hook = (...all) => {
    given.push(all)
    all[2].log.info('seen')
  }
  const { call, lines } = build([hook, hook])
  t.equal(call(), undefined)
  t.match(given, [
    [event, LETTER, { config: DEFAULT_CONFIG, signal: AbortSignal }],
    [event, LETTER, {}]
  ])
  t.match(lines.items, [
    { processor: 'first', eventId: event.id, msg: 'seen' },
    { processor: 'second', msg: 'seen' }
  ])
})

t.test('logs a failure, and calls the others', async (t) => {
  let called = 0
  const { call, lines } = build([
    () => {
      throw new Error('no chat at https://hooks.example/CAPABILITY')
    },
    async () => {
      called++
      throw new Error('later')
    }
  ])
  t.doesNotThrow(call)
  await turn()
  t.equal(called, 1)
  t.match(lines.items, [
    {
      level: 50,
      processor: 'first',
      msg: 'dead letter hook failed',
      err: { message: 'no chat at https://hooks.example/…' }
    },
    { processor: 'second', msg: 'dead letter hook failed' }
  ])
})

t.test('stops waiting for a hook at the time-out', async (t) => {
  const signals: AbortSignal[] = []
  const silent: Hook = (_event, _letter, { signal }) => {
    signals.push(signal)
    return new Promise(() => {})
  }
  const { call, lines } = build([silent, () => {}], { timeoutMs: 1 })
  call()
  await lines.when(({ msg }) => msg === 'dead letter hook failed')
  t.match(lines.items, [{ processor: 'first', err: { code: 'HOOK_TIMEOUT' } }])
  t.ok(signals[0]?.aborted)
})

t.test('skips hooks while too many are in progress', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let called = 0
  const slow = () => {
    called++
    return promise
  }
  const { call, lines } = build([slow, slow], { maximumHooks: 1 })
  call()
  t.equal(called, 1)
  t.match(lines.items, [{ processor: 'second', msg: /^dead letter hook skipped/, running: 1 }])
  resolve()
  await turn()
  call()
  t.equal(called, 2)
})
