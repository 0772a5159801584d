import { pino } from 'pino'
import t from 'tap'
import { z } from 'zod'
import {
  CloudinaryError,
  defineListener,
  defineProcessor,
  helloWorldTag,
  type Listener,
  lastUpdateTimestamp,
  PermanentError,
  type Processor
} from '../../../app/listener.ts'

const processor = (given: Partial<Processor> = {}): Processor => ({
  name: 'mine',
  on: ['upload'],
  handle: () => undefined,
  ...given
})

/** Calls `defineListener` with any value. */
const define = (listener: unknown) => defineListener(listener as Listener)
const withProcessor = (given: object) => define({ processors: [{ ...processor(), ...given }] })

const refusal = (message: RegExp) => ({ name: 'ListenerError', code: 'LISTENER_CONFIG_INVALID', message })

t.test('returns the listener unchanged', async (t) => {
  const listener = {
    processors: [
      processor(),
      processor({
        name: 'every-thing_2.0',
        on: ['*', 'unknown', 'eager'],
        when: () => true,
        ownChanges: true
      }),
      helloWorldTag(),
      lastUpdateTimestamp()
    ],
    logger: pino({ enabled: false })
  }
  t.equal(defineListener(listener), listener)
  t.ok(defineListener({ processors: [] }), 'one that does nothing yet')
})

t.test('exports what a user needs', async (t) => {
  t.ok(new PermanentError('never') instanceof Error)
  t.equal(typeof CloudinaryError, 'function')
})

t.test('rejects a listener without a list of processors', async (t) => {
  for (const none of [undefined, null, {}, 5, [], { processors: {} }, { processors: processor() }]) {
    t.throws(() => define(none), refusal(/defineListener needs `processors`, an array/))
  }
})

t.test('requires a name that can be a key', async (t) => {
  for (const name of [undefined, '', 'has space', 'a/b', 'é', 'x'.repeat(65), 5, null]) {
    t.throws(() => withProcessor({ name }), refusal(/^processor 0 needs a name of 1 to 64 letters/))
  }
  t.ok(withProcessor({ name: 'x'.repeat(64) }))
  for (const odd of [null, undefined, 'text', 5]) {
    t.throws(() => define({ processors: [processor(), odd] }), refusal(/^processor 1 needs a name/))
  }
})

t.test('rejects two processors with the same name', async (t) => {
  t.throws(
    () => define({ processors: [processor(), processor({ name: 'other' }), processor()] }),
    refusal(/two processors are named "mine"/)
  )
  t.throws(() => define({ processors: [helloWorldTag(), helloWorldTag()] }), refusal(/"hello-world-tag"/))
})

t.test('requires event types', async (t) => {
  for (const on of [undefined, 'upload', [], {}, null]) {
    t.throws(() => withProcessor({ on }), refusal(/processor "mine" needs `on`, a list of event types/))
  }
})

t.test('rejects an unknown event type and lists the known ones', async (t) => {
  t.throws(() => withProcessor({ on: ['upload', 'uplaod'] }), refusal(/"mine" .*"uplaod"; .*\*, .*upload/))
  t.throws(() => withProcessor({ on: [undefined] }), refusal(/"mine" .*"undefined"/))
})

t.test('requires functions as `when` and `handle`', async (t) => {
  for (const when of [null, true, 'upload']) {
    t.throws(() => withProcessor({ when }), refusal(/`when` of processor "mine" is not a function/))
  }
  for (const handle of [undefined, null, 'run']) {
    t.throws(() => withProcessor({ handle }), refusal(/processor "mine" needs a function `handle`/))
  }
})

t.test('allows no event types only with `deadLettered`', async (t) => {
  t.throws(() => withProcessor({ on: [] }), refusal(/processor "mine" needs `on`/))
  t.ok(withProcessor({ on: [], deadLettered: () => {} }))
})

t.test('requires functions as `start`, `stop`, `migrate`, `check` and `deadLettered`', async (t) => {
  for (const hook of ['start', 'stop', 'migrate', 'check', 'deadLettered']) {
    t.throws(() => withProcessor({ [hook]: 'now' }), refusal(/` of processor "mine" is not a function/))
    t.ok(withProcessor({ [hook]: () => {} }))
  }
})

t.test('requires package names as `packages`', async (t) => {
  for (const packages of ['zod', [7]]) {
    t.throws(() => withProcessor({ packages }), refusal(/`packages` of processor "mine"/))
  }
  t.ok(withProcessor({ packages: ['zod'] }))
})

t.test('requires a pino instance as logger', async (t) => {
  for (const logger of [null, {}, 'pino', console]) {
    t.throws(() => define({ processors: [], logger }), refusal(/`logger` must be a pino instance/))
  }
  t.ok(define({ processors: [], logger: undefined }))
})

t.test('rejects a time-out longer than a message can be hidden', async (t) => {
  const processor = { name: 'mine', on: ['upload' as const], handle: () => undefined }
  for (const timeoutSeconds of [0, -1, 36_001, Number.NaN, '5' as unknown as number]) {
    t.throws(() => defineListener({ processors: [{ ...processor, timeoutSeconds }] }), {
      code: 'LISTENER_CONFIG_INVALID',
      message: /`timeoutSeconds` of processor "mine"/
    })
  }
  t.ok(defineListener({ processors: [{ ...processor, timeoutSeconds: 600 }] }))
})

t.test('requires variable names in `requires`', async (t) => {
  t.throws(
    () => withProcessor({ requires: ['cms-token'] }),
    refusal(/^processor "mine" requires "cms-token"/)
  )
  t.ok(withProcessor({ requires: ['CMS_TOKEN', { name: 'CMS_URL' }] }))
})

t.test('types `config` by the required variables', async (t) => {
  const limit = { name: 'CMS_LIMIT', schema: z.string().transform(Number) } as const
  const cms = defineProcessor({
    name: 'cms',
    on: ['upload'],
    requires: ['DATABASE_URL', 'CMS_TOKEN', limit],
    handle(_event, { config }) {
      const { DATABASE_URL, CMS_TOKEN, CMS_LIMIT, PORT, WEBHOOK_URL } = config
      const known: [string, string, number, number, string | undefined] = [
        DATABASE_URL,
        CMS_TOKEN,
        CMS_LIMIT,
        PORT,
        WEBHOOK_URL
      ]
      // @ts-expect-error not in `requires`
      known.push(config.CMS_URL)
    },
    start({ config }) {
      config.CMS_TOKEN satisfies string
    }
  })
  t.strictSame(defineListener({ processors: [cms] }).processors, [cms])
})
