import t from 'tap'
import { credentials } from '../../../../app/commands/doctor/credentials-check.ts'
import { ListenerError } from '../../../../app/errors.ts'

const signal = new AbortController().signal
const key = { cloudName: 'demo', apiKey: 'k', apiSecret: 'not-for-print' }

t.test('it says which clouds there are, and no secret', async (t) => {
  const environments = { cloudNames: () => ['demo', 'other'], verificationKeys: () => [key, key, key] }
  t.strictSame(await credentials({ environments: Promise.resolve(environments) }).run(signal), [
    { level: 'ok', message: 'readable; clouds: demo, other; 3 keys to verify notifications' }
  ])
})

t.test('what cannot be read says why', async (t) => {
  const environments = Promise.reject(new ListenerError('SECRET_NOT_FOUND', 'no such secret'))
  await t.rejects(credentials({ environments }).run(signal), { message: 'no such secret' })
})
