import t from 'tap'
import { ListenerError, PermanentError, RetryLaterError } from '../../app/errors.ts'

t.test('an error has a code, a message and a cause', async (t) => {
  const cause = new Error('below')
  const error = new ListenerError('QUEUE_UNAVAILABLE', 'SQS has not stored the event', { cause })
  t.ok(error instanceof Error)
  t.match(error, {
    name: 'ListenerError',
    code: 'QUEUE_UNAVAILABLE',
    message: 'SQS has not stored the event'
  })
  t.equal(error.cause, cause)
  t.match(String(error), /^ListenerError: SQS has not/)
})

t.test('a permanent error may have its own code', async (t) => {
  const cause = new Error('below')
  t.ok(new PermanentError('never') instanceof ListenerError)
  t.match(new PermanentError('never'), { name: 'PermanentError', code: 'PERMANENT', message: 'never' })
  t.match(new PermanentError('never', { code: 'NO_SUCH_FIELD', cause }), { code: 'NO_SUCH_FIELD', cause })
  t.notOk(new ListenerError('ANY', 'try again') instanceof PermanentError)
})

t.test('an error may state the earliest time of a retry', async (t) => {
  const until = new Date('2026-06-01T12:00:00Z')
  t.match(new RetryLaterError('busy', until), { name: 'RetryLaterError', code: 'RETRY_LATER', until })
  t.match(new RetryLaterError('busy', until, { code: 'CMS_BUSY' }), { code: 'CMS_BUSY', message: 'busy' })
  t.notOk(new RetryLaterError('busy', until) instanceof PermanentError)
})
