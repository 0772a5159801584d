import fc from 'fast-check'
import t from 'tap'
import { maskPayload } from '../../../app/activity/masked-payload.ts'

t.test('masks secrets by the name of the field and by their form', async (t) => {
  t.strictSame(
    maskPayload({
      signature: 'abc',
      nested: [{ delete_token: 'abc', expires: 5, password: 7 }],
      tokens: ['abc', { inner: ['def', true, null] }],
      hook: 'https://hooks.example.com/T0/secret',
      'https://hooks.example.com/T0/name': null
    }),
    {
      signature: '…',
      nested: [{ delete_token: '…', expires: 5, password: '…' }],
      tokens: ['…', { inner: ['…', true, null] }],
      hook: 'https://hooks.example.com/…',
      'https://hooks.example.com/…': null
    }
  )
})

t.test('keeps public delivery URLs, and masks those with a signature or a query', async (t) => {
  const origin = 'https://res.cloudinary.com'
  const url = `${origin}/demo/image/upload/v1/shoes/red.jpg`
  t.equal(maskPayload(url), url)
  for (const secret of [
    `${origin}/demo/image/upload/s--abc--/v1/red.jpg`,
    `${origin}/demo/image/authenticated/v1/red.jpg`,
    `${url}?token=abc`,
    `${url} https://hooks.example.com/T0/secret`
  ]) {
    t.notMatch(maskPayload(secret), /abc|secret|authenticated/, secret)
  }
})

t.test('does not change other values', async () => {
  const plain = fc
    .jsonValue()
    .filter(
      (value) => !/[:=]|signature|token|secret|password/i.test(JSON.stringify(value).replaceAll('":', ''))
    )
  fc.assert(fc.property(plain, (value) => JSON.stringify(maskPayload(value)) === JSON.stringify(value)))
})
