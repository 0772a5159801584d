import { join, relative } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { ListenerError } from '../../app/errors.ts'
import {
  CloudinaryError,
  defineListener,
  helloWorldTag,
  type Listener,
  lastUpdateTimestamp,
  loadListener,
  missingVariables,
  PermanentError,
  type Processor
} from '../../app/listener.ts'

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

const good = `
interface Typed { name: string }
const named: Typed = { name: 'from-file' }
export default { processors: [{ ...named, on: ['upload'], handle () {} }] }
`

t.test(
  'a listener is loaded from its file, by a path from the working directory or a full one',
  async (t) => {
    const dir = t.testdir({
      'good.ts': good,
      'with space #1.ts': good,
      'plain.mjs': good.replace(/^interface.*$/m, '').replace(': Typed', '')
    })
    for (const name of ['good.ts', 'with space #1.ts', 'plain.mjs']) {
      const path = join(dir, name)
      t.match(await loadListener(path), { processors: [{ name: 'from-file' }] })
      t.match(await loadListener(relative(process.cwd(), path)), { processors: [{ name: 'from-file' }] })
    }
  }
)

t.test('the file that a user edits is a good one, whatever it says', async (t) => {
  t.ok(await loadListener('./listener.config.ts'))
})

t.test('a file that cannot be loaded is refused, with the path and the reason', async (t) => {
  const dir = t.testdir({
    'syntax.ts': 'export default {',
    'import.ts': "import { none } from './nowhere.ts'\nexport default none\n",
    'throws.mjs': "throw new Error('at the top')",
    'throws-text.mjs': "throw 'a text'"
  })
  const faults: [string, RegExp][] = [
    ['missing.ts', /missing\.ts cannot be loaded: Cannot find module/],
    ['syntax.ts', /syntax\.ts cannot be loaded: ./],
    ['import.ts', /import\.ts cannot be loaded: Cannot find module .*nowhere\.ts/],
    ['throws.mjs', /throws\.mjs cannot be loaded: at the top/],
    ['throws-text.mjs', /throws-text\.mjs cannot be loaded: a text/]
  ]
  for (const [name, message] of faults) {
    await t.rejects(loadListener(join(dir, name)), refusal(message), name)
  }
  const error: unknown = await loadListener(join(dir, 'throws.mjs')).catch((reason) => reason)
  t.ok(error instanceof ListenerError)
  t.match((error as ListenerError).cause, { message: 'at the top' })
})

t.test('a file without a listener as its default export is refused', async (t) => {
  const dir = t.testdir({
    'none.ts': 'export const listener = { processors: [] }',
    'null.ts': 'export default null',
    'number.ts': 'export default 5',
    'bad.ts': "export default { processors: [{ name: 'a b' }] }"
  })
  for (const name of ['none.ts', 'null.ts']) {
    await t.rejects(loadListener(join(dir, name)), refusal(/must have `export default defineListener/))
  }
  await t.rejects(loadListener(join(dir, 'number.ts')), refusal(/defineListener needs `processors`/))
  await t.rejects(loadListener(join(dir, 'bad.ts')), refusal(/processor 0 needs a name/))
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

t.test('a processor cannot require a variable that there is not', async (t) => {
  const processor = { name: 'a', on: ['upload'] as const, handle() {} }
  t.throws(
    () => defineListener({ processors: [{ ...processor, requires: ['DATABASE' as 'DATABASE_URL'] }] }),
    {
      code: 'LISTENER_CONFIG_INVALID',
      message: /requires DATABASE, which is no variable/
    }
  )
})

t.test(
  'variables that processors require and that are not set are named, each with who needs it',
  async (t) => {
    const processors = [
      processor({ name: 'rows', requires: ['DATABASE_URL', 'FORWARD_SECRET'] }),
      processor({ name: 'plain' })
    ]
    t.match(missingVariables(processors, { FORWARD_SECRET: 'set' }), [
      /^DATABASE_URL is not set, and processor "rows" needs it; it must be postgres:/
    ])
    t.strictSame(missingVariables(processors, { DATABASE_URL: 'set', FORWARD_SECRET: 'set' }), [])
  }
)
