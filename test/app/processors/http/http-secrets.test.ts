import t from 'tap'
import { maskedExcerpt, secretsIn } from '../../../../app/processors/http/http-secrets.ts'

t.test('takes everything in a URL after its origin for a secret', async (t) => {
  const secrets = secretsIn(
    new URL('https://hooks.example/services/T0%2BCAPABILITY/short?key=and%20longer#the-fragment'),
    { authorization: 'Bearer of-the-header', 'x-kind': 'to' },
    ['other-secret', 'other']
  )
  t.strictSame(
    secrets,
    secrets.toSorted((one, other) => other.length - one.length)
  )
  for (const secret of [
    '/services/T0%2BCAPABILITY/short',
    'T0%2BCAPABILITY',
    'T0+CAPABILITY',
    'and%20longer',
    'and longer',
    'the-fragment',
    'Bearer of-the-header',
    'of-the-header',
    'other-secret'
  ]) {
    t.ok(secrets.includes(secret), secret)
  }
  for (const ordinary of ['short', 'key', 'to', 'other', '']) t.notOk(secrets.includes(ordinary), ordinary)
})

t.test('needs only a URL', async (t) => {
  t.strictSame(secretsIn(new URL('https://hooks.example/')), [])
})

t.test('masks secrets and signatures in an excerpt of one line', async (t) => {
  const text = ` {"error":\n "no such\u0000 of-the-query, v1,${'A'.repeat(43)}="}${'x'.repeat(400)}`
  t.equal(
    maskedExcerpt(text, ['of-the-query']),
    `{"error": "no such [secret], [signature]"}${'x'.repeat(258)}`
  )
  t.equal(maskedExcerpt(`${'x'.repeat(299)}😀`, []), `${'x'.repeat(299)}\ufffd`)
})
