import t from 'tap'
import { z } from 'zod'
import { inspectVariable, type VariableDefinition } from '../../app/inspect-variable.ts'

const inspect = (value: string, definition: Omit<VariableDefinition, 'name'> = {}) =>
  inspectVariable({ name: 'MINE', ...definition }, { MINE: value })

t.test('accepts any text without a schema', async (t) => {
  t.strictSame(inspect('any'), { outcome: 'valid', value: 'any' })
})

t.test('an empty value is not set', async (t) => {
  t.match(inspect(''), { outcome: 'invalid', isSet: false, problem: /^MINE is not set; / })
  t.match(inspect('', { allowed: 'a number' }), { problem: 'MINE is not set; it must be a number' })
})

t.test('prefers `problem`, then `allowed`, then the messages of the schema', async (t) => {
  const schema = z.string().min(5, 'at least 5 characters')
  t.strictSame(inspect('four', { schema }), {
    outcome: 'invalid',
    isSet: true,
    problem: 'MINE is "four"; at least 5 characters'
  })
  t.match(inspect('four', { schema, allowed: 'a word' }), { problem: /; it must be a word$/ })
  t.match(inspect('four', { schema, problem: () => 'it is short' }), { problem: /; it is short$/ })
})

t.test('hides a secret, even if its schema throws it', async (t) => {
  const schema = z.string().transform((text) => JSON.parse(text))
  t.match(inspect('not JSON', { schema, secret: true }), {
    outcome: 'invalid',
    problem: 'The value of MINE (hidden) is not valid: its schema cannot read it'
  })
})

t.test('hides values that look like credentials, and masks URLs unless they are public', async (t) => {
  const schema = z.literal('x')
  for (const value of ['cloudinary://key:word@demo', 'postgres://user:word@db/a', 'whsec_d29yZA==']) {
    t.match(
      inspect(value, { schema, public: true }),
      { problem: /^The value of MINE \(hidden\) is not valid: / },
      value
    )
  }
  const url = 'https://hooks.example/T00/CAPABILITY'
  t.match(inspect(url, { schema }), { problem: /^MINE is "https:\/\/hooks\.example\/…"; / })
  t.match(inspect(url, { schema, public: true }), {
    problem: /^MINE is "https:\/\/hooks\.example\/T00\/CAPABILITY"; /
  })
})
