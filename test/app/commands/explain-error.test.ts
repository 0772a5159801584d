import t from 'tap'
import { explain } from '../../../app/commands/explain-error.ts'
import { ListenerError } from '../../../app/errors.ts'

const error = (name: string, more: object = {}) => Object.assign(new Error('the message'), { name, ...more })

t.test('our own errors say what to do', async (t) => {
  t.equal(explain(new ListenerError('CODE', 'mend it')), 'mend it')
  t.equal(
    explain(new ListenerError('CODE', 'no https://hooks.example/CAPABILITY')),
    'no https://hooks.example/…'
  )
  t.equal(
    explain(new Error('no https://hooks.example/CAPABILITY')),
    'it failed (Error: no https://hooks.example/…)'
  )
})

t.test('errors of AWS are told by name, with what to do', async (t) => {
  const meanings = { missing: 'correct X', permission: 'x:Read' }
  t.equal(explain(error('QueueDoesNotExist'), meanings), 'it is not there (QueueDoesNotExist); correct X')
  t.match(explain(error('ResourceNotFoundException'), meanings), 'correct X')
  t.match(explain(error('QueueDoesNotExist')), /^it failed/)
  t.match(explain(error('AccessDeniedException'), meanings), 'allow x:Read')
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

t.test('what AWS writes in a message is not repeated', async (t) => {
  t.equal(explain(error('InternalFailure', { $metadata: {} })), 'it failed (InternalFailure)')
})

t.test('of any other error the message is', async (t) => {
  for (const code of ['ENOENT', 'EISDIR', 'EACCES', 'EROFS', 'ENOSPC']) {
    t.equal(explain(error('Error', { code })), 'it failed (Error: the message)')
  }
  t.equal(explain(error('TypeError', { code: 'ERR_INVALID_ARG_TYPE' })), 'it failed (TypeError: the message)')
  t.equal(explain('not an error'), 'it failed (Error: )')
})
