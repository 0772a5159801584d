import { getEventListeners } from 'node:events'
import t from 'tap'
import { unlessAborted } from '../../app/unless-aborted.ts'

const never = () => new Promise<void>(() => {})

t.test('settles like the promise, and leaves no listener behind', async (t) => {
  const { signal } = new AbortController()
  t.equal(await unlessAborted(Promise.resolve('value'), signal), 'value')
  t.equal(await unlessAborted('value', signal), 'value')
  const error = new Error('failed')
  await t.rejects(unlessAborted(Promise.reject(error), signal), error)
  t.strictSame(getEventListeners(signal, 'abort'), [])
})

t.test('rejects with the reason when the signal aborts', async (t) => {
  const abort = new AbortController()
  const reason = new Error('stopping')
  const rejected = t.rejects(unlessAborted(never(), abort.signal), reason)
  abort.abort(reason)
  await rejected
  await t.rejects(unlessAborted(never(), abort.signal), reason)
})
