import t from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { decodeMessage } from '../../../app/queue/message-codec.ts'
import { MemoryQueue } from '../../../app/testing/memory-queue.ts'
import { sampleEvent } from '../../support/events.ts'

const event = (id: string, group: string): AssetEvent => ({ ...sampleEvent('upload'), id, group })

function build() {
  const time = { now: 0 }
  const queue = new MemoryQueue(() => time.now)
  const receive = () => {
    const message = queue.receive()
    return message && { message, id: decodeMessage(message.body).id }
  }
  return { time, queue, receive }
}

t.test('blocks later messages of a waiting group only', async (t) => {
  const { time, queue, receive } = build()
  t.equal(queue.nextAt, undefined)
  await queue.store([event('a1', 'a'), event('a2', 'a'), event('b1', 'b')])
  const first = receive()!
  t.equal(first.id, 'a1')
  queue.settle(first.message, { kind: 'retry', delaySeconds: 10 })
  const other = receive()!
  t.equal(other.id, 'b1')
  queue.settle(other.message, { kind: 'delete' })
  t.equal(receive(), undefined)
  t.equal(queue.nextAt, 10_000)
  time.now = 10_000
  const again = receive()!
  t.match(again, { id: 'a1', message: { receiveCount: 2, group: 'a' } })
  queue.settle(again.message, { kind: 'delete' })
  t.equal(receive()!.id, 'a2')
})

t.test('keeps dead letters with their reason', async (t) => {
  const { queue, receive } = build()
  await queue.store([event('a1', 'a')])
  await queue.put('any', receive()!.message.body, { code: 'NEVER', message: 'never', processor: 'own' })
  t.match(queue.deadLetters, [{ event: { id: 'a1' }, code: 'NEVER', message: 'never', processor: 'own' }])
})

t.test('dead-letters a message after the maximum receives', async (t) => {
  const { queue } = build()
  await queue.store([event('a1', 'a')])
  let receives = 0
  for (let message = queue.receive(); message; message = queue.receive()) {
    receives++
    queue.settle(message, { kind: 'retry', delaySeconds: 0 })
  }
  t.equal(receives, 1000)
  t.match(queue.deadLetters, [{ event: { id: 'a1' }, code: undefined }])
})
