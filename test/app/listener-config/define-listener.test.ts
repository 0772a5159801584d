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

/** Defines a listener of what may not be one. */
const define = (listener: unknown) => defineListener(listener as Listener)
const withProcessor = (given: object) => define({ processors: [{ ...processor(), ...given }] })

const refusal = (message: RegExp) => ({ name: 'ListenerError', code: 'LISTENER_CONFIG_INVALID', message })

t.test('a listener is given back as it was defined', async (t) => {
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

t.test('what a user needs beside is there too', async (t) => {
  t.ok(new PermanentError('never') instanceof Error)
  t.equal(typeof CloudinaryError, 'function')
})

t.test('what has no list of processors is refused', async (t) => {
  for (const none of [undefined, null, {}, 5, [], { processors: {} }, { processors: processor() }]) {
    t.throws(() => define(none), refusal(/defineListener needs `processors`, an array/))
  }
})

t.test('a processor needs a name that can be a key', async (t) => {
  for (const name of [undefined, '', 'has space', 'a/b', 'é', 'x'.repeat(65), 5, null]) {
    t.throws(() => withProcessor({ name }), refusal(/^processor 0 needs a name of 1 to 64 letters/))
  }
  t.ok(withProcessor({ name: 'x'.repeat(64) }))
  for (const odd of [null, undefined, 'text', 5]) {
    t.throws(() => define({ processors: [processor(), odd] }), refusal(/^processor 1 needs a name/))
  }
})

t.test('two processors of one name are refused', async (t) => {
  t.throws(
    () => define({ processors: [processor(), processor({ name: 'other' }), processor()] }),
    refusal(/two processors are named "mine"/)
  )
  t.throws(() => define({ processors: [helloWorldTag(), helloWorldTag()] }), refusal(/"hello-world-tag"/))
})

t.test('a processor needs types to be on', async (t) => {
  for (const on of [undefined, 'upload', [], {}, null]) {
    t.throws(() => withProcessor({ on }), refusal(/processor "mine" needs `on`, a list of event types/))
  }
})

t.test('a type that there is not is refused, with those there are', async (t) => {
  t.throws(
    () => withProcessor({ on: ['upload', 'uplaod'] }),
    refusal(/"mine" is on "uplaod"; the types are \*, .*upload/)
  )
  t.throws(() => withProcessor({ on: [undefined] }), refusal(/is on "undefined"/))
})

t.test('`when` and `handle` must be functions', async (t) => {
  for (const when of [null, true, 'upload']) {
    t.throws(() => withProcessor({ when }), refusal(/`when` of processor "mine" is not a function/))
  }
  for (const handle of [undefined, null, 'run']) {
    t.throws(() => withProcessor({ handle }), refusal(/processor "mine" needs a function `handle`/))
  }
})

t.test('`start`, `stop` and `migrate` must be functions where they are there', async (t) => {
  for (const hook of ['start', 'stop', 'migrate', 'check']) {
    t.throws(() => withProcessor({ [hook]: 'now' }), refusal(/` of processor "mine" is not a function/))
    t.ok(withProcessor({ [hook]: () => {} }))
  }
})

t.test('a logger must be able to have children, as a pino instance', async (t) => {
  for (const logger of [null, {}, 'pino', console]) {
    t.throws(() => define({ processors: [], logger }), refusal(/`logger` must be a pino instance/))
  }
  t.ok(define({ processors: [], logger: undefined }))
})

t.test('a time limit must be one that a message can be held for', async (t) => {
  const processor = { name: 'mine', on: ['upload' as const], handle: () => undefined }
  for (const timeoutSeconds of [0, -1, 36_001, Number.NaN, '5' as unknown as number]) {
    t.throws(() => defineListener({ processors: [{ ...processor, timeoutSeconds }] }), {
      code: 'LISTENER_CONFIG_INVALID',
      message: /`timeoutSeconds` of processor "mine"/
    })
  }
  t.ok(defineListener({ processors: [{ ...processor, timeoutSeconds: 600 }] }))
})

t.test('what a processor requires must be a variable', async (t) => {
  t.throws(
    () => withProcessor({ requires: ['cms-token'] }),
    refusal(/^processor "mine" requires "cms-token"; /)
  )
  t.ok(withProcessor({ requires: ['CMS_TOKEN', { name: 'CMS_URL' }] }))
})

t.test('the config of a processor has the types of what it requires', async (t) => {
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
      // @ts-expect-error it is not required
      known.push(config.CMS_URL)
    },
    start({ config }) {
      config.CMS_TOKEN satisfies string
    }
  })
  t.strictSame(defineListener({ processors: [cms] }).processors, [cms])
})
