import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { feedShard, unfinishedShard } from '../../app/journal/journal-table.ts'

/** Returns the journal's item of an event that the worker has finished. `time` is in milliseconds since the epoch. */
export function journalItem(number: number, time: number) {
  const id = createHash('sha256').update(String(number)).digest('hex').slice(0, 32)
  const receivedAt = new Date(time).toISOString()
  const publicId = `folder-${number % 50}/photo-${number % 5000}`
  const status = number % 500 === 7 ? 'dead' : 'done'
  const payload = { notification_type: 'upload', public_id: publicId, tags: [`tag-${number % 100}`], number }
  const event = { id, type: 'upload', environment: 'demo', receivedAt, payload }
  return {
    id,
    type: 'upload',
    environment: 'demo',
    asset: { publicId },
    origin: { source: 'api', id: '123456789012345', own: false },
    occurredAt: receivedAt,
    receivedAt,
    startedAt: receivedAt,
    finishedAt: receivedAt,
    status,
    attempts: 1,
    attemptId: id,
    attemptStartedAt: receivedAt,
    processors: {
      tag: { outcome: 'succeeded', at: receivedAt, milliseconds: number % 900, attempts: 1, waits: 0 }
    },
    source: number % 20 === 3 ? 'poll' : 'web',
    feedShard: feedShard(id, receivedAt),
    historyKey: createHash('sha256').update(publicId).digest('hex'),
    ...(status === 'dead' && { unfinishedShard: unfinishedShard('dead', id) }),
    payload: gzipSync(JSON.stringify(event))
  }
}
