import t from 'tap'
import { z } from 'zod'
import { checkOptions, hasTag, ON, TAG } from '../../../app/processors/processor-options.ts'

const Options = z.strictObject({
  tag: z.string().min(1).default('sale'),
  limits: z.array(z.int()).optional()
})

const check = (options: unknown) => checkOptions('myProcessor', Options, options as z.input<typeof Options>)

t.test('returns options with defaults', async (t) => {
  t.strictSame(check({}), { tag: 'sale' })
  t.strictSame(check({ tag: 'x', limits: [1] }), { tag: 'x', limits: [1] })
})

t.test('names the processor and every invalid option', async (t) => {
  t.throws(() => check({ tag: '', limits: [1, 'two'] }), {
    name: 'ListenerError',
    code: 'LISTENER_CONFIG_INVALID',
    message: /^myProcessor: tag: [^;]+; limits\.1: [^;]+$/
  })
})

t.test('rejects unknown options and non-objects', async (t) => {
  t.throws(() => check({ tags: 'x' }), { message: /^myProcessor: options: .*tags/ })
  t.throws(() => check(null), { code: 'LISTENER_CONFIG_INVALID', message: /^myProcessor: options: / })
})

t.test('accepts tags of 1 to 1000 characters without commas', async (t) => {
  for (const tag of ['Hello World!', 'x'.repeat(1000)]) t.equal(TAG.parse(tag), tag)
  for (const tag of ['', 'x'.repeat(1001), 'one,two', 5]) t.notOk(TAG.safeParse(tag).success, String(tag))
})

t.test('explains an invalid key', async (t) => {
  const Columns = z.strictObject({ columns: z.record(z.string().max(3, 'must be short'), z.string()) })
  t.throws(() => checkOptions('mine', Columns, { columns: { long_one: 'x' } }), {
    code: 'LISTENER_CONFIG_INVALID',
    message: 'mine: columns.long_one: must be short'
  })
})

t.test('checks whether a payload has a tag', async (t) => {
  t.ok(hasTag({ tags: ['a', 'b'] }, 'b'))
  for (const tags of [undefined, null, 'b', { 0: 'b' }, ['bb']]) t.notOk(hasTag({ tags }, 'b'))
})

t.test('accepts event types, and defaults to uploads', async (t) => {
  t.strictSame(ON.parse(undefined), ['upload'])
  t.strictSame(ON.parse(['*', 'unknown']), ['*', 'unknown'])
  for (const on of [[], ['uploaded'], 'upload']) t.notOk(ON.safeParse(on).success)
})
