import t from 'tap'
import { Drops, parseDrop } from '../../../dev/cloudinary/drops.ts'

const upload = { notificationType: 'upload', body: '{"public_id":"a"}' }
const rename = { notificationType: 'rename', body: '{"public_id":"b"}' }

t.test('drops nothing by default', async (t) => {
  t.notOk(new Drops().take(upload))
})

t.test('drops the given number of notifications of a type', async (t) => {
  const drops = new Drops()
  drops.add({ notificationType: 'upload', count: 2 })
  t.notOk(drops.take(rename))
  t.ok(drops.take(upload))
  t.ok(drops.take(upload))
  t.notOk(drops.take(upload))
})

t.test('without a count, drops all until cleared', async (t) => {
  const drops = new Drops()
  drops.add({ when: ({ body }) => body.includes('"a"') })
  t.ok(drops.take(upload))
  t.ok(drops.take(upload))
  t.notOk(drops.take(rename))
  drops.clear()
  t.notOk(drops.take(upload))
})

t.test('counts each drop separately, and does not change the given object', async (t) => {
  const drops = new Drops()
  const asked = { count: 1 }
  drops.add(asked)
  drops.add({ notificationType: 'upload', count: 1 })
  t.strictSame([drops.take(rename), drops.take(upload), drops.take(upload)], [true, true, false])
  t.equal(asked.count, 1)
})

t.test('parses a drop', async (t) => {
  t.strictSame(parseDrop({}), {})
  t.strictSame(parseDrop({ count: '3', notification_type: 'upload' }), {
    count: 3,
    notificationType: 'upload'
  })
  for (const count of [0, '0', 'x', '']) t.throws(() => parseDrop({ count }), { message: /parameter count/ })
})
