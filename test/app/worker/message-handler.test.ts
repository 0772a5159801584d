import t from 'tap'
import { PermanentError } from '../../../app/errors.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { encodeMessage } from '../../../app/queue/message-codec.ts'
import { memoryJournal } from '../../../app/testing/memory-journal.ts'
import { describeMessage } from '../../../app/worker/message-handler.ts'
import { buildHandler, cloudinaryError, NEVER, scripted, upload } from '../../support/handling.ts'
import { memoryTracing } from '../../support/tracing.ts'

t.test('deletes the message of a processed event, and retries that of a failed one', async (t) => {
  const processed = buildHandler([scripted('tag', 'tagged').processor])
  t.strictSame(await processed.handle(), { kind: 'delete' })
  const failed = buildHandler([scripted('tag', new Error('not yet')).processor])
  t.strictSame(await failed.handle(), { kind: 'retry', delaySeconds: 1 })
})

t.test('dead-letters a message that this listener did not write', async (t) => {
  const { handle, dead, lines } = buildHandler([])
  t.strictSame(await handle('not an event'), { kind: 'delete' })
  t.match(dead, [{ id: 'message-1', code: 'MESSAGE_UNREADABLE' }])
  t.match(lines, [{ msg: 'message dead-lettered', code: 'MESSAGE_UNREADABLE' }])
})

t.test(
  'retries a message with increasing delay when the journal or the dead-letter queue fails',
  async (t) => {
    const down = async () => {
      throw new Error('down')
    }
    const { journal } = memoryJournal()
    for (const overrides of [
      { journal: { ...journal, startAttempt: down } },
      { deadLetters: { put: down } }
    ]) {
      const { handle, lines, counts } = buildHandler(
        [scripted('bad', new PermanentError('never')).processor],
        overrides
      )
      t.strictSame(await handle(), { kind: 'retry', delaySeconds: 1 })
      t.strictSame(
        await handle(upload, NEVER, 100),
        { kind: 'retry', delaySeconds: 100 },
        'longer with each receive'
      )
      t.match(lines.at(-1), {
        msg: 'message handling failed; will be redelivered',
        err: { message: 'down' },
        messageId: 'message-1',
        eventId: upload.id
      })
      t.match(counts, { MessagesNotHandled: 2 })
    }
    const unreadable = buildHandler([], { deadLetters: { put: down } })
    t.match(await unreadable.handle('x'), { kind: 'retry' })
    t.strictSame(unreadable.counts, { MessagesNotHandled: 1 })
  }
)

t.test('describes a message with the fields of its event', async (t) => {
  const of = (body: string) => describeMessage({ id: 'message-1', body, group: 'g', receiveCount: 1 })
  const traced: AssetEvent = { ...upload, traceId: 'Root=1' }
  t.match(of(encodeMessage(traced)), { messageId: 'message-1', eventId: upload.id, traceId: 'Root=1' })
  t.strictSame(of('not an event'), { messageId: 'message-1' })
})

t.test('records the age of each event that returns to the queue, except of redrives', async (t) => {
  const { processor } = scripted('tag', new Error('not yet'), new Error('not yet'), new Error('not yet'))
  const { journal } = memoryJournal()
  let isDown = false
  const startAttempt: typeof journal.startAttempt = (...given) =>
    isDown ? Promise.reject(new Error('down')) : journal.startAttempt(...given)
  const { handle, breaker, durations, time } = buildHandler([processor], {
    journal: { ...journal, startAttempt }
  })
  const received = Date.parse(upload.receivedAt)
  time.now = received + 1000
  await handle()
  isDown = true
  time.now = received + 2000
  await handle()
  for (let i = 0; i < 5; i++) breaker.observe(cloudinaryError({ kind: 'retryable' }, 503))
  time.now = received + 2001
  await handle()
  await handle({ ...upload, run: { kind: 'redrive', id: 'r1' } })
  t.strictSame(durations.RetriedEventAge, [1000, 2000, 2001])
})

t.test('reports how long an event waited for its first start, except of redrives', async (t) => {
  const waits: number[] = []
  const { handle, time } = buildHandler([scripted('tag', 'tagged').processor], {
    onFirstStart: (waitedMs) => void waits.push(waitedMs)
  })
  time.now = Date.parse(upload.receivedAt) + 1500
  await handle()
  await handle(upload, NEVER, 2)
  await handle({ ...upload, run: { kind: 'redrive', id: 'r1' } })
  await handle('not an event')
  t.strictSame(waits, [1500])
})

t.test('the handling of a message is traced', async (t) => {
  const { tracing, spans } = memoryTracing()
  const { handle } = buildHandler([scripted('tag', 'tagged').processor], { tracing })
  t.strictSame(await handle(), { kind: 'delete' })
  t.strictSame(await handle('not an event'), { kind: 'delete' })
  t.strictSame(spans, ['process message-1 upload', 'processor tag'])
})
