import t from 'tap'
import { Drops, parseDrop } from '../../../dev/cloudinary/drops.ts'

const upload = { notificationType: 'upload', body: '{"public_id":"a"}' }
const rename = { notificationType: 'rename', body: '{"public_id":"b"}' }

t.test('nothing is lost that nobody asked for', async (t) => {
  t.notOk(new Drops().take(upload))
})

t.test('so many of a type are lost, and no more', async (t) => {
  const drops = new Drops()
  drops.add({ notificationType: 'upload', count: 2 })
  t.notOk(drops.take(rename))
  t.ok(drops.take(upload))
  t.ok(drops.take(upload))
  t.notOk(drops.take(upload))
})

t.test('without a count all are lost, until cleared', async (t) => {
  const drops = new Drops()
  drops.add({ when: ({ body }) => body.includes('"a"') })
  t.ok(drops.take(upload))
  t.ok(drops.take(upload))
  t.notOk(drops.take(rename))
  drops.clear()
  t.notOk(drops.take(upload))
})

t.test('a drop is used up by itself, not by others, and not in the hands of who asked for it', async (t) => {
  const drops = new Drops()
  const asked = { count: 1 }
  drops.add(asked)
  drops.add({ notificationType: 'upload', count: 1 })
  t.strictSame([drops.take(rename), drops.take(upload), drops.take(upload)], [true, true, false])
  t.equal(asked.count, 1)
})

t.test('a drop over HTTP', async (t) => {
  t.strictSame(parseDrop({}), {})
  t.strictSame(parseDrop({ count: '3', notification_type: 'upload' }), {
    count: 3,
    notificationType: 'upload'
  })
  for (const count of [0, '0', 'x', '']) t.throws(() => parseDrop({ count }), { message: /parameter count/ })
})
