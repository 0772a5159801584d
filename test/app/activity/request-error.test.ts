import t from 'tap'
import { errorResponseTo, RequestError } from '../../../app/activity/request-error.ts'
import { ListenerError } from '../../../app/errors.ts'

t.test('a refused request has the status and code of its error', async (t) => {
  t.strictSame(errorResponseTo(new RequestError(403, 'REFUSED', 'no')), {
    status: 403,
    code: 'REFUSED',
    message: 'no'
  })
  t.strictSame(errorResponseTo(new RequestError(503, 'LATER', 'wait', 30)), {
    status: 503,
    code: 'LATER',
    message: 'wait',
    retryAfter: 30
  })
})

t.test('errors of the store and of replays have a response', async (t) => {
  const cause = new Error('the details')
  const response = errorResponseTo(new ListenerError('JOURNAL_UNAVAILABLE', 'DynamoDB …', { cause }))
  t.match(response, { status: 503, code: 'JOURNAL_UNAVAILABLE', retryAfter: 5 })
  t.notMatch(response.message, 'DynamoDB')
  for (const [code, status] of [
    ['OVERLOADED', 503],
    ['REPLAY_TOO_LARGE', 400],
    ['REPLAYS_BUSY', 409]
  ] as const) {
    t.match(errorResponseTo(new ListenerError(code, 'what to do')), { status, code, message: 'what to do' })
  }
})

t.test("Fastify's own refusals keep their status", async (t) => {
  const error = Object.assign(new Error('too large'), { statusCode: 413, code: 'FST_ERR' })
  t.strictSame(errorResponseTo(error), { status: 413, code: 'FST_ERR', message: 'too large' })
  t.match(errorResponseTo(Object.assign(new Error(''), { statusCode: 400 })), {
    status: 400,
    code: 'BAD_REQUEST'
  })
})

t.test('the response to an unexpected error has no details', async (t) => {
  for (const error of [
    new Error('the details'),
    Object.assign(new Error('the details'), { statusCode: 502 }),
    Object.assign(new Error('the details'), { code: 'constructor' }),
    { statusCode: 503, message: 'the details' }
  ]) {
    t.match(errorResponseTo(error), { status: 500, code: 'INTERNAL', message: /^(?!.*the details)/ })
  }
})
