import t from 'tap'
import { decodeCursor, encodeCursor, newestFirst } from '../../../app/activity/event-cursor.ts'
import { iso, NOW } from '../../support/activity.ts'

const position = (after: number, id: string) => ({ receivedAt: iso(NOW + after), id })

t.test('a cursor names a place, and is safe in a URL', async (t) => {
  const place = position(1, 'abc')
  const cursor = encodeCursor(place)
  t.strictSame(decodeCursor(cursor), place)
  t.equal(encodeURIComponent(cursor), cursor)
})

t.test('an invalid cursor is refused', async (t) => {
  const forged = Buffer.from('2026-06-01 x').toString('base64url')
  for (const cursor of ['', 'x', '%%%', forged]) {
    t.throws(() => decodeCursor(cursor), { code: 'FILTER_INVALID', parameter: 'cursor' })
  }
})

t.test('orders by time received, then by id, newest first', async (t) => {
  const sorted = [position(2, 'a'), position(1, 'c'), position(1, 'b')]
  t.strictSame([sorted[2]!, sorted[0]!, sorted[1]!].sort(newestFirst), sorted)
  for (const [newer, older] of [sorted.slice(0, 2), sorted.slice(1)] as const) {
    t.equal(newestFirst(newer!, older!), -1)
    t.equal(newestFirst(older!, newer!), 1)
  }
  t.equal(newestFirst(sorted[0]!, sorted[0]!), 0)
})
