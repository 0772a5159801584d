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

/** Everything an error could show, its stack and what is enumerable included. */
const shown = (error: CloudinaryError) =>
  [error.message, error.stack, error.cause, JSON.stringify(error), JSON.stringify(error.fault)].join('\n')

t.test('a refusal of the Upload API keeps its message and status', async (t) => {
  const error = map({ message: 'Invalid value for parameter tags', name: 'Error', http_code: 400 })
  t.ok(error instanceof ListenerError)
  t.match(error, {
    name: 'CloudinaryError',
    code: 'CLOUDINARY_REJECTED',
    message: 'add tag: 400 Invalid value for parameter tags',
    status: 400,
    fault: { kind: 'permanent' }
  })
})

t.test('a refusal of the Admin API keeps its message and status, and none of the request', async (t) => {
  const error = map({
    request_options: { auth: `123:${SECRET}`, host: 'api.cloudinary.com' },
    query_params: `secret=${SECRET}`,
    error: { message: 'Resource not found - bag', http_code: 404 }
  })
  t.match(error, {
    code: 'CLOUDINARY_NOT_FOUND',
    message: 'add tag: 404 Resource not found - bag',
    status: 404,
    fault: { kind: 'permanent' }
  })
  t.notOk(shown(error).includes(SECRET))
})

t.test('an answer of the Admin API that is not understood is flat', async (t) => {
  const error = map({
    message: 'Server returned unexpected status code - 502',
    http_code: 502,
    request_options: { auth: `123:${SECRET}` },
    query_params: ''
  })
  t.match(error, { code: 'CLOUDINARY_UNAVAILABLE', status: 502, fault: { kind: 'retryable' } })
  t.notOk(shown(error).includes(SECRET))
})

t.test('an answer that breaks off is tried again, and says no more than its status', async (t) => {
  // the SDK puts the error of the socket where its message should be
  const error = map({
    message: new Error('aborted'),
    http_code: 200,
    request_options: { auth: `123:${SECRET}` }
  })
  t.match(error, {
    code: 'CLOUDINARY_UNAVAILABLE',
    message: 'add tag: 200 no reason given',
    fault: { kind: 'retryable' }
  })
})

t.test("the SDK's own time-out is tried again, and is no status of Cloudinary", async (t) => {
  for (const timeout of [
    { error: { message: 'Request Timeout', http_code: 499, name: 'TimeoutError' } },
    { message: 'Request Timeout', http_code: 499, name: 'TimeoutError' }
  ]) {
    t.match(map(timeout), {
      code: 'CLOUDINARY_UNREACHABLE',
      message: 'add tag: 499 Request Timeout',
      status: undefined,
      fault: { kind: 'retryable' }
    })
  }
})

t.test('a fault of the network is tried again, bare or wrapped', async (t) => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:443'), { code: 'ECONNREFUSED' })
  for (const rejection of [refused, { error: refused }]) {
    t.match(map(rejection), {
      code: 'CLOUDINARY_UNREACHABLE',
      message: 'add tag: connect ECONNREFUSED 127.0.0.1:443',
      status: undefined,
      fault: { kind: 'retryable' }
    })
  }
})

t.test('where every address of a host refuses, the error has no message, and its code is told', async (t) => {
  const all = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
  t.equal(map({ error: all }).message, 'add tag: ECONNREFUSED')
  t.equal(map({ code: 'ENOTFOUND' }).message, 'add tag: ENOTFOUND')
})

t.test('a rejection that says nothing is tried again', async (t) => {
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
      fault: { kind: 'retryable' }
    })
  }
})

t.test('a refused key is tried again, since it can be mended, and its message is our own', async (t) => {
  for (const status of [401, 403]) {
    const message = `Invalid Signature ${SIGNATURE}. String to sign - 'public_id=bag&timestamp=1'.`
    const error = map({ message, http_code: status })
    t.match(error, {
      code: 'CLOUDINARY_UNAUTHORIZED',
      message: `add tag: ${status} Cloudinary refuses the API key or its permissions; check the secret`,
      status,
      fault: { kind: 'retryable' }
    })
  }
})

t.test('what Cloudinary cannot do yet is tried again', async (t) => {
  for (const status of [408, 423, 425, 500, 502, 503, 504, 520]) {
    t.match(map({ message: 'not now', http_code: status }), {
      code: 'CLOUDINARY_UNAVAILABLE',
      message: `add tag: ${status} not now`,
      status,
      fault: { kind: 'retryable' }
    })
  }
})

t.test('an answer that is no refusal at all is tried again', async (t) => {
  for (const status of [0, 200, 302, 399]) {
    t.match(map({ message: 'Server return invalid JSON response', http_code: status }), {
      code: 'CLOUDINARY_UNAVAILABLE',
      fault: { kind: 'retryable' }
    })
  }
})

t.test('what Cloudinary will never do is permanent', async (t) => {
  for (const status of [400, 402, 405, 409, 410, 422, 451, 498]) {
    t.match(map({ message: 'never', http_code: status }), {
      code: 'CLOUDINARY_REJECTED',
      status,
      fault: { kind: 'permanent' }
    })
  }
})

t.test('a rate limit lasts until the time that Cloudinary names', async (t) => {
  const message =
    'Rate Limit Exceeded. Limit of 500 api operations reached. Try again on 2026-06-01 14:00:00 UTC'
  for (const status of [420, 429]) {
    for (const rejection of [{ error: { message, http_code: status } }, { message, http_code: status }]) {
      const error = map(rejection)
      t.match(error, { code: 'CLOUDINARY_RATE_LIMITED', status, message: `add tag: ${status} ${message}` })
      t.strictSame(error.fault, { kind: 'rate-limited', until: new Date('2026-06-01T14:00:00Z') })
    }
  }
})

t.test('a rate limit that names no time, or none there is, lasts a minute', async (t) => {
  for (const said of ['Too many concurrent requests', 'Try again on 2026-99-01 14:00:00 UTC', undefined]) {
    t.strictSame(map({ message: said, http_code: 429 }).fault, {
      kind: 'rate-limited',
      until: new Date(NOW + 60_000)
    })
  }
})

t.test('a long message is cut', async (t) => {
  const { message } = map({ message: 'x'.repeat(10_000), http_code: 400 })
  t.equal(message, `add tag: 400 ${'x'.repeat(500)}`)
})

t.test('a secret and a signature that touch leave nothing of each other', async (t) => {
  const secret = 'Xbc-_dEf0123456789ghijkladd'
  t.equal(
    map({ message: `${secret}${SIGNATURE}${secret}` }, [secret]).message,
    'add tag: [secret][signature][secret]'
  )
})

t.test('whatever Cloudinary writes, no secret and no signature is in the error', async (t) => {
  const anyStatus = fc.option(fc.constantFrom(200, 400, 401, 404, 420, 423, 429, 499, 500), {
    nil: undefined
  })
  const anySecret = fc.stringMatching(/^[\w-]{27}$/)
  const anySignature = fc.oneof(
    fc.stringMatching(/^[0-9a-f]{40}$/),
    fc.stringMatching(/^[0-9a-f]{64}$/),
    fc.stringMatching(/^[0-9A-F]{40}$/)
  )
  /** Text with the secret and the signature anywhere in it, right beside other characters. */
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
        t.notOk(written.includes(secret))
        t.notOk(written.includes(signature))
      }
    ),
    { numRuns: 500 }
  )
})

t.test('whatever is rejected with is mapped without a throw', async (t) => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (rejection) => {
      t.ok(map(rejection) instanceof CloudinaryError)
      t.ok(map({ error: rejection }) instanceof CloudinaryError)
    })
  )
})

t.test('of a URL that Cloudinary quotes its origin is left', async (t) => {
  const message =
    'Error in loading https://bucket.example/file.csv?X-Amz-Signature=CAPABILITY - 403 Forbidden'
  const { message: said } = toCloudinaryError(
    { message, http_code: 400 },
    { call: 'upload', secrets: [], clock: Date.now }
  )
  t.equal(said, 'upload: 400 Error in loading https://bucket.example/… - 403 Forbidden')
})

t.test('only an answer that there is no such asset is taken for one', async (t) => {
  const error = (code: string) => new CloudinaryError(code, 'read asset', { kind: 'permanent' }, 404)
  t.ok(isNotFound(error('CLOUDINARY_NOT_FOUND')))
  t.notOk(isNotFound(error('CLOUDINARY_REJECTED')))
  t.notOk(isNotFound(new Error('CLOUDINARY_NOT_FOUND')))
})
