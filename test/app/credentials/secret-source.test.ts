import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import fc from 'fast-check'
import { pino } from 'pino'
import { type Test, test } from 'tap'
import { fromSecretsManager, fromUrl } from '../../../app/credentials/secret-source.ts'
import { ListenerError } from '../../../app/errors.ts'
import { serializeError } from '../../../app/logger.ts'
import { type SecretValue, startSecretsManager } from '../../../dev/secrets-manager.ts'

const one = { cloudName: 'demo', apiKey: 'k1', apiSecret: 's1' }
const two = { cloudName: 'demo', apiKey: 'k2', apiSecret: 's2' }
const urlOf = (key: typeof one) => `cloudinary://${key.apiKey}:${key.apiSecret}@${key.cloudName}`

function recorder() {
  const lines: string[] = []
  const log = pino({ serializers: { err: serializeError } }, { write: (line) => void lines.push(line) })
  return { log, lines }
}

function clientOf(t: Test, endpoint: string) {
  const client = new SecretsManagerClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1
  })
  t.teardown(() => client.destroy())
  return client
}

async function start(t: Test, secrets: Record<string, SecretValue> = {}) {
  const server = await startSecretsManager({ secrets })
  t.teardown(() => server.stop())
  const { log, lines } = recorder()
  return { server, lines, source: fromSecretsManager(clientOf(t, server.url), 'cloudinary', { log }) }
}

/** Starts a server that responds 200 with the given body, or stays silent without one. */
async function startRaw(t: Test, answer?: () => string) {
  const server = createServer((_request, response) => answer && response.end(answer()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function errorOf(read: Promise<unknown>): Promise<ListenerError> {
  const error = await read.catch((thrown) => thrown)
  if (error instanceof ListenerError) return error
  throw new Error('not a ListenerError', { cause: error })
}

test('reads one fixed environment from CLOUDINARY_URL', async (t) => {
  const source = fromUrl(urlOf(one))
  t.equal(source.fixed, true)
  t.strictSame(await source.read(), { current: [one], previous: [] })
  t.throws(() => fromUrl('cloudinary://k@demo'), { code: 'CLOUDINARY_URL_INVALID' })
})

test('returns no previous value before the first rotation', async (t) => {
  const { source, lines } = await start(t, { cloudinary: urlOf(one) })
  t.strictSame(await source.read(), { current: [one], previous: [] })
  t.strictSame(lines, [])
})

test('returns both values after a rotation', async (t) => {
  const { source, server } = await start(t, { cloudinary: urlOf(one) })
  server.rotate('cloudinary', JSON.stringify({ main: `CLOUDINARY_URL=${urlOf(two)}` }))
  t.strictSame(await source.read(), { current: [two], previous: [one] })
})

test('decodes bytes as UTF-8', async (t) => {
  const { source } = await start(t, { cloudinary: Buffer.from('cloudinary://k:gehé1m@demo') })
  t.match(await source.read(), { current: [{ apiSecret: 'gehé1m' }] })
})

test('ignores an invalid previous value with one warning that does not show it', async (t) => {
  const { source, server, lines } = await start(t, { cloudinary: 'a-generated-password' })
  server.rotate('cloudinary', urlOf(one))
  t.strictSame(await source.read(), { current: [one], previous: [] })
  await source.read()
  t.equal(lines.length, 1)
  t.match(JSON.parse(lines[0] ?? ''), { level: 40, secretId: 'cloudinary', err: { code: 'SECRET_INVALID' } })
  t.notMatch(lines[0], 'a-generated-password')

  server.set('cloudinary', 'AWSPREVIOUS', 'another')
  await source.read()
  t.equal(lines.length, 2, 'another unusable value is another warning')
})

test('throws for an invalid current value', async (t) => {
  const { source } = await start(t, { cloudinary: 'a-generated-password' })
  const error = await errorOf(source.read())
  t.equal(error.code, 'SECRET_INVALID')
  t.notMatch(error.message, 'a-generated-password')
})

test('throws SECRET_NOT_FOUND for a missing secret', async (t) => {
  const { source, server } = await start(t)
  const error = await errorOf(source.read())
  t.equal(error.code, 'SECRET_NOT_FOUND')
  t.match(error.message, /"cloudinary".*CLOUDINARY_SECRET_ID or AWS_REGION/)
  t.match(error.cause, { name: 'ResourceNotFoundException' })

  server.failWith({ status: 400, code: 'InvalidRequestException' })
  t.match(await errorOf(source.read()), { code: 'SECRET_NOT_FOUND', message: /restore/ })
})

test('throws SECRET_ACCESS_DENIED with the action to allow', async (t) => {
  const { source, server } = await start(t, { cloudinary: urlOf(one) })
  for (const code of ['AccessDeniedException', 'DecryptionFailure']) {
    server.failWith({ status: 400, code })
    const error = await errorOf(source.read())
    t.equal(error.code, 'SECRET_ACCESS_DENIED')
    t.match(error.message, /"cloudinary".*secretsmanager:GetSecretValue.*kms:Decrypt/)
    t.match(error.cause, { name: code })
  }
})

test("throws SECRET_ACCESS_DENIED for unknown credentials, without AWS's message", async (t) => {
  const { source, server } = await start(t, { cloudinary: urlOf(one) })
  for (const code of ['UnrecognizedClientException', 'InvalidSignatureException', 'ExpiredTokenException']) {
    server.failWith({ status: 403, code })
    const error = await errorOf(source.read())
    t.equal(error.code, 'SECRET_ACCESS_DENIED')
    t.match(error.message, /"cloudinary".*secretsmanager:GetSecretValue/)
    t.equal(error.cause, undefined)
  }
})

test('throws SECRET_UNAVAILABLE for throttling and AWS errors', async (t) => {
  const { source, server } = await start(t, { cloudinary: urlOf(one) })
  for (const [status, code] of [
    [400, 'ThrottlingException'],
    [500, 'InternalServiceError'],
    [503, 'ServiceUnavailable']
  ] as const) {
    server.failWith({ status, code })
    const error = await errorOf(source.read())
    t.equal(error.code, 'SECRET_UNAVAILABLE')
    t.match(error.message, code)
    t.match(error.message, /"cloudinary".*secretsmanager:GetSecretValue/)
    t.match(error.cause, { name: code })
  }
})

test('fails if the previous value cannot be read, and so keeps the previous keys', async (t) => {
  const { source, server } = await start(t, { cloudinary: urlOf(one) })
  server.failWith({ status: 400, code: 'ThrottlingException', stage: 'AWSPREVIOUS' })
  t.match(await errorOf(source.read()), { code: 'SECRET_UNAVAILABLE' })
})

test('throws SECRET_UNAVAILABLE for an unreachable server', async (t) => {
  const server = await startSecretsManager()
  await server.stop()
  const { log } = recorder()
  const error = await errorOf(fromSecretsManager(clientOf(t, server.url), 'cloudinary', { log }).read())
  t.equal(error.code, 'SECRET_UNAVAILABLE')
  t.match(error.message, /\(ECONNREFUSED\)/)
  t.match(error.cause, { code: 'ECONNREFUSED' })
})

test('throws SECRET_UNAVAILABLE after the time-out of a silent server', async (t) => {
  const { log } = recorder()
  const client = clientOf(t, await startRaw(t))
  const error = await errorOf(fromSecretsManager(client, 'cloudinary', { log, timeoutMs: 20 }).read())
  t.equal(error.code, 'SECRET_UNAVAILABLE')
})

test('throws SECRET_UNAVAILABLE for a thrown value that is not an Error', async (t) => {
  const { log } = recorder()
  const client = clientOf(t, 'http://127.0.0.1:1')
  client.middlewareStack.add(
    () => () => {
      throw 'something'
    },
    { step: 'initialize' }
  )
  t.match(await errorOf(fromSecretsManager(client, 'cloudinary', { log }).read()), {
    code: 'SECRET_UNAVAILABLE'
  })
})

test('errors and log lines never contain the secret', async (t) => {
  const { source, server, lines } = await start(t)
  const { log } = recorder()
  let answer = ''
  const client = clientOf(t, await startRaw(t, () => answer))
  const broken = fromSecretsManager(client, 'cloudinary', { log })

  const secret = fc.stringMatching(/^[A-Za-z0-9_-]{12,27}$/)
  const malformed = fc.constantFrom<(text: string) => string>(
    (text) => text,
    (text) => `cloudinary://${text}@demo`,
    (text) => `cloudinary://key:${text}`,
    (text) => `{"main":"cloudinary://key:${text}@demo"`,
    (text) => `{"main":"${text}"}`,
    (text) => `{"main":${text}}`
  )
  await fc.assert(
    fc.asyncProperty(secret, malformed, async (text, shape) => {
      server.set('cloudinary', 'AWSCURRENT', shape(text))
      const ofValue = await errorOf(source.read())
      server.rotate('cloudinary', urlOf(one))
      await source.read()
      // the SDK fails to parse truncated or invalid JSON with a SyntaxError that quotes it
      answer = shape(text)
      const ofAnswer = await errorOf(broken.read())
      const said = JSON.stringify([serializeError(ofValue), serializeError(ofAnswer), lines])
      if (said.includes(text) || said.includes(text.slice(0, 8))) throw new Error(`leaked: ${shape}`)
    }),
    { numRuns: 60 }
  )
})
