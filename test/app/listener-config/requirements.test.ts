import t from 'tap'
import { z } from 'zod'
import {
  examplesOf,
  missingVariables,
  nameOf,
  problemOfRequirements,
  readRequirements
} from '../../../app/listener-config/requirements.ts'

const token = {
  name: 'CMS_TOKEN',
  secret: true,
  schema: z.string().min(20),
  allowed: 'the token of the CMS',
  example: 'an-example-of-a-token'
}
const limit = { name: 'CMS_LIMIT', schema: z.string().regex(/^\d+$/, 'not a number').transform(Number) }

t.test('adds required variables to the configuration, as parsed by their schemas', async (t) => {
  const processors = [{ name: 'cms', requires: [token, limit, 'CMS_URL', 'DATABASE_URL'] }, { name: 'plain' }]
  const config = { DATABASE_URL: 'postgres://u@h/n' }
  const env = { CMS_TOKEN: 'x'.repeat(20), CMS_LIMIT: '5', CMS_URL: 'https://cms', OTHER: 'not asked for' }
  t.strictSame(readRequirements(processors, config, env), {
    ...config,
    CMS_TOKEN: 'x'.repeat(20),
    CMS_LIMIT: 5,
    CMS_URL: 'https://cms'
  })
})

t.test(
  'reports one line for each missing or invalid variable, with the processor and without secrets',
  async (t) => {
    const processors = [{ name: 'cms', requires: [token, limit, 'CMS_URL', 'DATABASE_URL'] }]
    const missing = [
      'CMS_TOKEN is not set, and processor "cms" needs it; it must be the token of the CMS',
      /^CMS_LIMIT is not set, and processor "cms" needs it; /,
      /^CMS_URL is not set, and processor "cms" needs it/,
      /^DATABASE_URL is not set, and processor "cms" needs it; it must be postgres:/
    ]
    t.match(missingVariables(processors, {}, { CMS_URL: '' }), missing)
    const bad = { CMS_TOKEN: 'too-short', CMS_LIMIT: 'five', CMS_URL: 'any' }
    t.throws(() => readRequirements(processors, { DATABASE_URL: 'set' }, bad), {
      code: 'CONFIG_INVALID',
      problems: [
        'The value of CMS_TOKEN (hidden) is not valid: it must be the token of the CMS, and processor "cms" needs it',
        'CMS_LIMIT is "five"; not a number, and processor "cms" needs it'
      ]
    })
  }
)

t.test('a schema that accepts undefined makes a variable optional', async (t) => {
  const requires = [
    { name: 'CMS_LIMIT', schema: z.string().default('10') },
    { name: 'CMS_NOTE', schema: z.string().optional() }
  ]
  t.strictSame(readRequirements([{ name: 'cms', requires }], {}, {}), {
    CMS_LIMIT: '10',
    CMS_NOTE: undefined
  })
})

t.test('says which requirement is invalid', async (t) => {
  const invalid: [unknown, RegExp][] = [
    ['cms-token', /requires "cms-token".*CMS_TOKEN/],
    [{ schema: z.string() }, /requires undefined.*CMS_TOKEN/],
    [null, /requires null.*CMS_TOKEN/],
    [{ name: 'PORT' }, /requires PORT, .*by its name/],
    [{ name: 'CMS_URL', schema: 'url' }, /CMS_URL .*zod/],
    [{ ...token, example: 'short' }, /CMS_TOKEN .*`example`/]
  ]
  for (const [requirement, problem] of invalid) {
    t.match(problemOfRequirements([{ name: 'cms', requires: [requirement as string] }]), problem)
  }
  const two = (requires: (typeof token)[][]) =>
    problemOfRequirements(requires.map((requires, index) => ({ name: `cms-${index}`, requires })))
  t.match(two([[token], [{ ...token, schema: z.string().min(20) }]]), /"cms-1" requires CMS_TOKEN .*`schema`/)
  t.equal(two([[token], [token]]), undefined)
  t.equal(problemOfRequirements([{ name: 'plain' }, { name: 'cms', requires: [limit, 'PORT'] }]), undefined)
})

t.test('returns names and examples without reading values', async (t) => {
  t.strictSame(['PORT', token].map(nameOf), ['PORT', 'CMS_TOKEN'])
  t.strictSame(examplesOf(['PORT', token, limit]), { CMS_TOKEN: 'an-example-of-a-token' })
})

t.test('a requirement by name uses the declaration of another processor, in any order', async (t) => {
  const limit = {
    name: 'LIMIT',
    schema: z.string().regex(/^\d+$/).transform(Number)
  }
  const a = { name: 'a', requires: [limit] }
  const b = { name: 'b', requires: ['LIMIT'] }
  for (const processors of [
    [a, b],
    [b, a]
  ]) {
    t.match(readRequirements(processors, {}, { LIMIT: '5' }), { LIMIT: 5 })
    t.equal(missingVariables(processors, {}, { LIMIT: 'five' }).length, 2)
  }
})
