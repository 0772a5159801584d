import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { PermanentError } from '../../../app/errors.ts'
import { sendTogether, within } from '../../../app/processors/send-together.ts'

/** A `send` that records its calls, and rejects those with an item that the function names. */
function build(errorFor: (items: readonly string[]) => Error | undefined = () => undefined) {
  const calls: string[] = []
  const send = async (items: readonly string[]) => {
    calls.push(items.join(' '))
    const error = errorFor(items)
    if (error) throw error
    return items.length
  }
  return { calls, send }
}

t.test('sends all items with one call', async (t) => {
  const { calls, send } = build()
  t.strictSame(await sendTogether(['a', 'b'], send), [
    { ok: true, value: 2 },
    { ok: true, value: 2 }
  ])
  t.strictSame(calls, ['a b'])
})

t.test('sends each item on its own if the call is rejected', async (t) => {
  const error = new PermanentError('invalid')
  const { calls, send } = build((items) => (items.includes('b') ? error : undefined))
  t.strictSame(await sendTogether(['a', 'b', 'c'], send), [
    { ok: true, value: 1 },
    { ok: false, error },
    { ok: true, value: 1 }
  ])
  t.strictSame(calls, ['a b c', 'a', 'b', 'c'])
})

t.test('sends a single item once, and fails all for a temporary error', async (t) => {
  const rejected = build(() => new PermanentError('invalid'))
  await t.rejects(sendTogether(['a'], rejected.send), { message: 'invalid' })
  const down = build(() => new Error('down'))
  await t.rejects(sendTogether(['a', 'b'], down.send), { message: 'down' })
  t.strictSame([rejected.calls, down.calls], [['a'], ['a b']])
})

t.test('schedules a flush', async (t) => {
  let flushed = false
  within(1)(() => {
    flushed = true
  })
  t.notOk(flushed)
  while (!flushed) await pause(1)
  t.ok(flushed)
})
