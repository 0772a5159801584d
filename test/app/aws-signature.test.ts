import { SQSClient } from '@aws-sdk/client-sqs'
import fc from 'fast-check'
import { test } from 'tap'
import { createSigner, scopeOf } from '../../app/aws-signature.ts'

const REGION = 'eu-west-1'
const DAY_MS = 86_400_000

/** Signs a request as the SDK does. */
async function signedBySdk(
  headers: Record<string, string>,
  body: string,
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined },
  signingDate: Date
) {
  const client = new SQSClient({ region: REGION, credentials: credentials as never })
  const signer = await client.config.signer()
  const request = { method: 'POST', protocol: 'https:', hostname: 'sqs', path: '/', query: {} }
  return (await signer.sign({ ...request, headers, body }, { signingDate })).headers
}

test('signs as the SDK does', async (t) => {
  const sign = createSigner({ region: REGION, service: 'sqs' })
  const word = fc.stringMatching(/^[\w/+=-]{1,40}$/)
  const date = fc.date({ min: new Date('2020-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme' }),
      fc.record({
        accessKeyId: word,
        secretAccessKey: word,
        sessionToken: fc.option(word, { nil: undefined })
      }),
      date,
      async (body, credentials, signedAt) => {
        const headers = {
          host: 'sqs.eu-west-1.amazonaws.com',
          'content-type': 'application/x-amz-json-1.0',
          'content-length': String(Buffer.byteLength(body)),
          'x-amz-target': 'AmazonSQS.SendMessageBatch'
        }
        t.strictSame(
          sign({ headers, body }, credentials, signedAt),
          await signedBySdk(headers, body, credentials, signedAt)
        )
      }
    )
  )
})

test('derives another key on another day, and for another secret', async (t) => {
  const sign = createSigner({ region: REGION, service: 'sqs' })
  const [first, rotated] = ['secret-1', 'secret-2'].map((secretAccessKey) => ({
    accessKeyId: 'A',
    secretAccessKey
  }))
  const start = Date.UTC(2026, 0, 1)
  const requests = [
    [first, start],
    [first, start + DAY_MS - 1],
    [first, start + DAY_MS],
    [rotated, start + DAY_MS],
    [first, start]
  ] as const
  for (const [credentials, time] of requests) {
    const at = new Date(time)
    t.strictSame(
      sign({ headers: { host: 'sqs' }, body: '{}' }, credentials!, at),
      await signedBySdk({ host: 'sqs' }, '{}', credentials!, at)
    )
  }
})

test('reads the scope of a signed request', async (t) => {
  const credentials = { accessKeyId: 'AKIA/1', secretAccessKey: 'secret' }
  const { authorization } = await signedBySdk({ host: 'sqs' }, '{}', credentials, new Date())
  t.same(scopeOf(authorization), { region: REGION, service: 'sqs' })
})

test('finds no scope in a request with another signature, or without one', (t) => {
  const others = [undefined, '', 'Bearer token', authorization('AWS4-ECDSA-P256-SHA256')]
  t.strictSame(others.map(scopeOf), [undefined, undefined, undefined, undefined])
  t.end()
})

const authorization = (algorithm: string) =>
  `${algorithm} Credential=A/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=00`
