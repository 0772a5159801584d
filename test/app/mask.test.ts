import fc from 'fast-check'
import t from 'tap'
import { maskSecrets } from '../../app/mask.ts'

const CASES: [given: string, masked: string][] = [
  ['https://hooks.slack.com/services/T00/B00/XXXX', 'https://hooks.slack.com/…'],
  ['POST to "https://me:word@a.example:8443/x?y#z" failed', 'POST to "https://a.example:8443/…" failed'],
  ['https://bucket.s3.amazonaws.com?X-Amz-Signature=ab', 'https://bucket.s3.amazonaws.com/…'],
  ['WSS://host/socket, http://127.0.0.1:80/', 'WSS://host/…, http://127.0.0.1:80/'],
  ['https://me:pa/ss@example.com', 'https://…'],
  ['https://[::1]:80/x, https://[::1].', 'https://[::1]:80/…, https://[::1].'],
  ['https://me:word@example.com', 'https://example.com'],
  ['https://me:p@ss@example.com/x', 'https://example.com/…'],
  [
    'ask https://example.com. Or (https://example.com/).',
    'ask https://example.com. Or (https://example.com/).'
  ],
  ['postgres://user:pass/word@db:5432/app', 'postgres://…@db:5432/app'],
  ['cloudinary://key:secret@demo?upload_prefix=x', 'cloudinary://…@demo?upload_prefix=x'],
  [
    'as cloudinary://KEY:SECRET@CLOUD, postgres://USER:PASSWORD@HOST',
    'as cloudinary://KEY:SECRET@CLOUD, postgres://USER:PASSWORD@HOST'
  ],
  ['Authorization: Bearer abcDEF0123456789xyz', 'Authorization: Bearer …'],
  ['basic authentication-required', 'basic authentication-required'],
  ['wrong key whsec_bG9jYWwtZGV2ZWxv==', 'wrong key whsec_…'],
  [
    'No route GET /v1_1/demo/raw/download?api_key=1&signature=ab12&type=upload',
    'No route GET /v1_1/demo/raw/download?api_key=1&signature=…&type=upload'
  ],
  ['X-Amz-Security-Token=abc/d', 'X-Amz-Security-Token=…'],
  [
    'poll://channel, arn:aws:sns:eu-west-1:1:topic, a@b.example',
    'poll://channel, arn:aws:sns:eu-west-1:1:topic, a@b.example'
  ],
  [
    '    at f (file:///app/node_modules/@aws-sdk/x.js:1:2)',
    '    at f (file:///app/node_modules/@aws-sdk/x.js:1:2)'
  ]
]

t.test('masks secrets and nothing else', async (t) => {
  for (const [given, masked] of CASES) {
    t.equal(maskSecrets(given), masked)
    t.equal(maskSecrets(masked), masked, 'masking twice changes nothing')
  }
})

t.test('takes time linear in the length of the text', async (t) => {
  for (const text of ['a-', 'a://', 'https://', 'https://x....', 'a@', 'Basic ', 'x=', 'a.']) {
    const startedAt = performance.now()
    maskSecrets(text.repeat(50_000))
    t.ok(performance.now() - startedAt < 10_000, text)
  }
})

t.test('keeps only the origin of a URL in any text', async () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9_-]{12,40}$/)
  const place: ((secret: string) => string)[] = [
    (secret) => `/${secret}`,
    (secret) => `/a/${secret}/b`,
    (secret) => `?key=${secret}`,
    (secret) => `#${secret}`,
    (secret) => `/a.${secret}?b`,
    (secret) => `\\${secret}`
  ]
  const host = fc.constantFrom('example.com', 'user:word@example.com', '[::1]:80', '127.0.0.1')
  const text = fc.constantFrom('', 'a', ' ', '"', '(', 'cannot reach ')
  fc.assert(
    fc.property(secret, fc.constantFrom(...place), host, text, text, (secret, put, host, before, after) => {
      return !maskSecrets(`${before} https://${host}${put(secret)}${after}`).includes(secret)
    })
  )
})
