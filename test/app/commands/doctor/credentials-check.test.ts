import t from 'tap'
import { credentials } from '../../../../app/commands/doctor/credentials-check.ts'
import { ListenerError } from '../../../../app/errors.ts'

const signal = new AbortController().signal
const key = { cloudName: 'demo', apiKey: 'k', apiSecret: 'not-for-print' }

t.test('lists the clouds, and prints no secret', async (t) => {
  const environments = { cloudNames: () => ['demo', 'other'], verificationKeys: () => [key, key, key] }
  t.strictSame(await credentials({ environments: Promise.resolve(environments) }).run(signal), [
    { level: 'ok', message: 'clouds: demo, other; 3 keys to verify signatures' }
  ])
})

t.test('reports why the credentials cannot be read', async (t) => {
  const environments = Promise.reject(new ListenerError('SECRET_NOT_FOUND', 'no such secret'))
  await t.rejects(credentials({ environments }).run(signal), { message: 'no such secret' })
})
