import t from 'tap'
import { explain } from '../../../app/commands/explain-error.ts'
import { ListenerError } from '../../../app/errors.ts'

const error = (name: string, more: object = {}) => Object.assign(new Error('the message'), { name, ...more })

t.test('prints the message of our own errors', async (t) => {
  t.equal(explain(new ListenerError('CODE', 'fix it')), 'fix it')
  t.equal(
    explain(new ListenerError('CODE', 'no https://hooks.example/CAPABILITY')),
    'no https://hooks.example/…'
  )
  t.equal(
    explain(new Error('no https://hooks.example/CAPABILITY')),
    'it failed (Error: no https://hooks.example/…)'
  )
})

t.test('names AWS errors and what to do', async (t) => {
  const hints = { missing: 'correct X', permission: 'x:Read' }
  t.equal(explain(error('QueueDoesNotExist'), hints), 'it does not exist (QueueDoesNotExist); correct X')
  t.match(explain(error('ResourceNotFoundException'), hints), 'correct X')
  t.match(explain(error('QueueDoesNotExist')), /^it failed/)
  t.match(explain(error('AccessDeniedException'), hints), 'allow x:Read')
  t.match(explain(error('AccessDenied')), 'allow the call')
  t.match(explain(error('CredentialsProviderError')), 'does not accept')
  t.match(explain(error('ExpiredToken')), 'does not accept')
  t.match(explain(error('TimeoutError')), /^no answer in time; check AWS_REGION/)
  t.match(explain(error('AbortError')), /^no answer in time/)
  t.match(explain(error('AggregateError', { code: 'ECONNREFUSED' })), /^cannot connect \(ECONNREFUSED\)/)
  for (const code of [
    'EAI_AGAIN',
    'ECONNRESET',
    'ENOTFOUND',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ETIMEDOUT',
    'EPIPE'
  ]) {
    t.match(explain(error('Error', { code })), `cannot connect (${code}); check AWS_REGION`)
  }
})

t.test('prints the cause of errors of the queue and the journal', async (t) => {
  const cause = error('AccessDenied')
  t.match(
    explain(new ListenerError('QUEUE_UNAVAILABLE', 'says little', { cause })),
    /^the queue: .*sqs:SendMessage/
  )
  const journal = new ListenerError('JOURNAL_UNAVAILABLE', 'says little', { cause })
  t.match(explain(journal), /^the journal: .*BatchGetItem/)
  t.match(explain(journal, { permission: 'x:Read' }), /allow x:Read$/)
  t.equal(explain(new ListenerError('QUEUE_UNAVAILABLE', 'fix it')), 'fix it')
})

t.test('does not repeat the message of an AWS error', async (t) => {
  t.equal(explain(error('InternalFailure', { $metadata: {} })), 'it failed (InternalFailure)')
})

t.test('prints the message of any other error', async (t) => {
  for (const code of ['ENOENT', 'EISDIR', 'EACCES', 'EROFS', 'ENOSPC']) {
    t.equal(explain(error('Error', { code })), 'it failed (Error: the message)')
  }
  t.equal(explain(error('TypeError', { code: 'ERR_INVALID_ARG_TYPE' })), 'it failed (TypeError: the message)')
  t.equal(explain('not an error'), 'it failed (Error: )')
})
