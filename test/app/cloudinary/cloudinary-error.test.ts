import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { CloudinaryError, isNotFound, toCloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'
import { ListenerError } from '../../../app/errors.ts'

/** 2026-06-01T12:00:00Z */
const NOW = 1_780_315_200_000
const SECRET = 'aBc-_dEf0123456789ghijklmno'
const SIGNATURE = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'

const map = (rejection: unknown, secrets: readonly string[] = [SECRET]) =>
  toCloudinaryError(rejection, { call: 'add tag', secrets, clock: () => NOW })

/** Everything that an error could show, including its stack and enumerable properties. */
const shown = (error: CloudinaryError) =>
  [error.message, error.stack, error.cause, JSON.stringify(error), JSON.stringify(error.failure)].join('\n')

t.test('keeps message and status of the Upload API', async (t) => {
  const error = map({ message: 'Invalid value for parameter tags', name: 'Error', http_code: 400 })
  t.ok(error instanceof ListenerError)
  t.match(error, {
    name: 'CloudinaryError',
    code: 'CLOUDINARY_REJECTED',
    message: 'add tag: 400 Invalid value for parameter tags',
    status: 400,
    failure: { kind: 'permanent' }
  })
})

t.test('keeps message and status of the Admin API, and nothing of the request', async (t) => {
  const error = map({
    request_options: { auth: `123:${SECRET}`, host: 'api.cloudinary.com' },
    query_params: `secret=${SECRET}`,
    error: { message: 'Resource not found - bag', http_code: 404 }
  })
  t.match(error, {
    code: 'CLOUDINARY_NOT_FOUND',
    message: 'add tag: 404 Resource not found - bag',
    status: 404,
    failure: { kind: 'permanent' }
  })
  t.notOk(shown(error).includes(SECRET))
})

t.test('maps an unreadable response of the Admin API', async (t) => {
  const error = map({
    message: 'Server returned unexpected status code - 502',
    http_code: 502,
    request_options: { auth: `123:${SECRET}` },
    query_params: ''
  })
  t.match(error, { code: 'CLOUDINARY_UNAVAILABLE', status: 502, failure: { kind: 'retryable' } })
  t.notOk(shown(error).includes(SECRET))
})

t.test('a truncated response is retryable', async (t) => {
  // the SDK sets the socket error as its message
  const error = map({
    message: new Error('aborted'),
    http_code: 200,
    request_options: { auth: `123:${SECRET}` }
  })
  t.match(error, {
    code: 'CLOUDINARY_UNAVAILABLE',
    message: 'add tag: 200 no reason given',
    failure: { kind: 'retryable' }
  })
})

t.test("the SDK's time-out is retryable and has no status", async (t) => {
  for (const timeout of [
    { error: { message: 'Request Timeout', http_code: 499, name: 'TimeoutError' } },
    { message: 'Request Timeout', http_code: 499, name: 'TimeoutError' }
  ]) {
    t.match(map(timeout), {
      code: 'CLOUDINARY_UNREACHABLE',
      message: 'add tag: 499 Request Timeout',
      status: undefined,
      failure: { kind: 'retryable' }
    })
  }
})

t.test('a network error is retryable, plain or wrapped', async (t) => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:443'), { code: 'ECONNREFUSED' })
  for (const rejection of [refused, { error: refused }]) {
    t.match(map(rejection), {
      code: 'CLOUDINARY_UNREACHABLE',
      message: 'add tag: connect ECONNREFUSED 127.0.0.1:443',
      status: undefined,
      failure: { kind: 'retryable' }
    })
  }
})

t.test('reports the code of an error without a message', async (t) => {
  const all = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
  t.equal(map({ error: all }).message, 'add tag: ECONNREFUSED')
  t.equal(map({ code: 'ENOTFOUND' }).message, 'add tag: ENOTFOUND')
})

t.test('a rejection without details is retryable', async (t) => {
  const nothing = [
    undefined,
    null,
    '',
    'text',
    7,
    {},
    [],
    { error: null },
    { error: 'text' },
    { message: '' }
  ]
  for (const rejection of [...nothing, { code: Object.create(null) }, { http_code: '400' }]) {
    t.match(map(rejection), {
      code: 'CLOUDINARY_UNREACHABLE',
      message: 'add tag: no reason given',
      failure: { kind: 'retryable' }
    })
  }
})

t.test("a rejected key is retryable, and Cloudinary's message is not repeated", async (t) => {
  for (const status of [401, 403]) {
    const message = `Invalid Signature ${SIGNATURE}. String to sign - 'public_id=bag&timestamp=1'.`
    const error = map({ message, http_code: status })
    t.match(error, { code: 'CLOUDINARY_UNAUTHORIZED', status, failure: { kind: 'retryable' } })
    t.match(error.message, `add tag: ${status} `)
    t.notMatch(error.message, 'String to sign')
  }
})

t.test('temporary statuses are retryable', async (t) => {
  for (const status of [408, 423, 425, 500, 502, 503, 504, 520]) {
    t.match(map({ message: 'not now', http_code: status }), {
      code: 'CLOUDINARY_UNAVAILABLE',
      message: `add tag: ${status} not now`,
      status,
      failure: { kind: 'retryable' }
    })
  }
})

t.test('an unexpected status is retryable', async (t) => {
  for (const status of [0, 200, 302, 399]) {
    t.match(map({ message: 'Server return invalid JSON response', http_code: status }), {
      code: 'CLOUDINARY_UNAVAILABLE',
      failure: { kind: 'retryable' }
    })
  }
})

t.test('other 4xx statuses are permanent', async (t) => {
  for (const status of [400, 402, 405, 409, 410, 422, 451, 498]) {
    t.match(map({ message: 'never', http_code: status }), {
      code: 'CLOUDINARY_REJECTED',
      status,
      failure: { kind: 'permanent' }
    })
  }
})

t.test('a rate limit lasts until the stated time', async (t) => {
  const message =
    'Rate Limit Exceeded. Limit of 500 api operations reached. Try again on 2026-06-01 14:00:00 UTC'
  for (const status of [420, 429]) {
    for (const rejection of [{ error: { message, http_code: status } }, { message, http_code: status }]) {
      const error = map(rejection)
      t.match(error, { code: 'CLOUDINARY_RATE_LIMITED', status, message: `add tag: ${status} ${message}` })
      t.strictSame(error.failure, { kind: 'rate-limited', until: new Date('2026-06-01T14:00:00Z') })
    }
  }
})

t.test('a rate limit without a valid time lasts a minute', async (t) => {
  for (const said of ['Too many concurrent requests', 'Try again on 2026-99-01 14:00:00 UTC', undefined]) {
    t.strictSame(map({ message: said, http_code: 429 }).failure, {
      kind: 'rate-limited',
      until: new Date(NOW + 60_000)
    })
  }
})

t.test('truncates a long message', async (t) => {
  const { message } = map({ message: 'x'.repeat(10_000), http_code: 400 })
  t.equal(message, `add tag: 400 ${'x'.repeat(500)}`)
})

t.test('removes an adjacent secret and signature', async (t) => {
  const secret = 'Xbc-_dEf0123456789ghijkladd'
  t.equal(
    map({ message: `${secret}${SIGNATURE}${secret}` }, [secret]).message,
    'add tag: [secret][signature][secret]'
  )
})

t.test('errors never contain a secret or a signature', async () => {
  const anyStatus = fc.option(fc.constantFrom(200, 400, 401, 404, 420, 423, 429, 499, 500), {
    nil: undefined
  })
  const anySecret = fc.stringMatching(/^[\w-]{27}$/)
  const anySignature = fc.oneof(
    fc.stringMatching(/^[0-9a-f]{40}$/),
    fc.stringMatching(/^[0-9a-f]{64}$/),
    fc.stringMatching(/^[0-9A-F]{40}$/)
  )
  /** Generates text with the secret and the signature anywhere, adjacent to other characters. */
  const parts = fc.array(fc.oneof(fc.string(), fc.constantFrom('SECRET', 'SIGNATURE', '_', 'x', ' ', 'f')))
  const shape = fc.constantFrom(
    (error: object) => error,
    (error: object) => ({ error }),
    (error: object) => Object.assign(new Error('x'), error),
    (error: object) => ({ error: Object.assign(new Error('x'), error) })
  )
  fc.assert(
    fc.property(
      anyStatus,
      anySecret,
      anySignature,
      parts,
      shape,
      (http_code, secret, signature, text, wrap) => {
        const message = text.join('').replaceAll('SECRET', secret).replaceAll('SIGNATURE', signature)
        const request_options = { auth: `123:${secret}`, headers: { signature } }
        const rejection = wrap({
          message,
          http_code,
          request_options,
          query_params: `s=${secret}`,
          code: message
        })
        const written = shown(map(rejection, ['another', secret]))
        assert.ok(!written.includes(secret))
        assert.ok(!written.includes(signature))
      }
    ),
    { numRuns: 500 }
  )
})

t.test('maps any rejection without throwing', async () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (rejection) => {
      assert.ok(map(rejection) instanceof CloudinaryError)
      assert.ok(map({ error: rejection }) instanceof CloudinaryError)
    })
  )
})

t.test('keeps only the origin of a quoted URL', async (t) => {
  const message =
    'Error in loading https://bucket.example/file.csv?X-Amz-Signature=CAPABILITY - 403 Forbidden'
  const { message: said } = toCloudinaryError(
    { message, http_code: 400 },
    { call: 'upload', secrets: [], clock: Date.now }
  )
  t.equal(said, 'upload: 400 Error in loading https://bucket.example/… - 403 Forbidden')
})

t.test('isNotFound matches CLOUDINARY_NOT_FOUND only', async (t) => {
  const error = (code: string) => new CloudinaryError(code, 'read asset', { kind: 'permanent' }, 404)
  t.ok(isNotFound(error('CLOUDINARY_NOT_FOUND')))
  t.notOk(isNotFound(error('CLOUDINARY_REJECTED')))
  t.notOk(isNotFound(new Error('CLOUDINARY_NOT_FOUND')))
})
