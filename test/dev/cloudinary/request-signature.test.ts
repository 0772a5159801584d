import t from 'tap'
import { sign, stringToSign, verifySignature } from '../../../dev/cloudinary/request-signature.ts'
import { sdk } from './sdk.ts'

const NOW = 1_700_000_000_000
const secretOf = (apiKey: string) => (apiKey === '1' ? 'secret' : undefined)
const check = { secretOf, algorithm: 'sha1' as const, now: NOW }
const values = {
  timestamp: '1700000000',
  public_ids: ['a', 'b'],
  tag: 'x&y',
  file: 'f',
  cloud_name: 'c',
  type: ''
}

t.test('signs the same text as the SDK', async (t) => {
  t.equal(stringToSign(values, 1), 'public_ids=a,b&tag=x&y&timestamp=1700000000')
  t.equal(stringToSign(values, 2), 'public_ids=a,b&tag=x%26y&timestamp=1700000000')
  const params = {
    timestamp: 1_700_000_000,
    public_ids: ['a', 'b'],
    tag: 'x&y',
    eager: 'w_1',
    eager_async: 1
  }
  const sent = { ...values, eager: 'w_1', eager_async: '1' }
  t.equal(sign(sent, 'secret', 'sha1', 2), sdk.utils.api_sign_request(params, 'secret'))
})

t.test('accepts both signature versions', async (t) => {
  for (const version of [1, 2] as const) {
    const signature = sign(values, 'secret', 'sha1', version)
    t.equal(verifySignature({ ...values, api_key: '1', signature, resource_type: 'image' }, check), '1')
  }
  const signature = sign(values, 'secret', 'sha256', 2)
  t.equal(verifySignature({ ...values, api_key: '1', signature }, { ...check, algorithm: 'sha256' }), '1')
})

t.test('names a missing parameter', async (t) => {
  t.throws(() => verifySignature({}, check), { status: 400, message: 'Must supply api_key' })
  t.throws(() => verifySignature({ api_key: '1' }, check), { status: 400, message: /unsigned upload/ })
  t.throws(() => verifySignature({ api_key: '1', signature: 'x' }, check), {
    status: 400,
    message: 'Missing required parameter - timestamp'
  })
})

t.test('refuses an unknown key and a wrong signature with 401', async (t) => {
  const signature = sign(values, 'secret', 'sha1', 2)
  t.throws(() => verifySignature({ ...values, api_key: '2', signature }, check), {
    status: 401,
    message: 'Unknown API key 2'
  })
  for (const wrong of ['short', sign(values, 'other', 'sha1', 2), sign(values, 'secret', 'sha256', 2)]) {
    t.throws(() => verifySignature({ ...values, api_key: '1', signature: wrong }, check), {
      status: 401,
      message: `Invalid Signature ${wrong}. String to sign - 'public_ids=a,b&tag=x%26y&timestamp=1700000000'.`
    })
  }
})

t.test('refuses a timestamp older than an hour', async (t) => {
  const signed = { ...values, api_key: '1', signature: sign(values, 'secret', 'sha1', 2) }
  t.equal(verifySignature(signed, { ...check, now: NOW + 3_600_000 }), '1')
  t.throws(() => verifySignature(signed, { ...check, now: NOW + 3_601_000 }), {
    status: 400,
    message: 'Stale request - reported time is 2023-11-14 22:13:20 +0000 which is more than 1 hour ago'
  })
})
