import t from 'tap'
import { feedDays, wholeIndex } from '../../../app/journal/activity-blocks.ts'
import { JOURNAL } from '../../../app/journal/journal-table.ts'

const FROM = '2026-06-01T12:00:00.000Z'
const UNTIL = '2026-06-20T12:00:00.000Z'

const daysOf = ({ ranges }: { ranges: readonly { partition: string }[] }) => [
  ...new Set(ranges.map(({ partition }) => partition.slice(8, 10)))
]

t.test('reads the newest day first and alone, then up to four together', async (t) => {
  const blocks = [...feedDays(FROM, UNTIL, { start: undefined, isNewestFirst: true })]
  t.strictSame(blocks.map(daysOf), [
    ['20'],
    ['19', '18'],
    ['17', '16', '15', '14'],
    ['13', '12', '11', '10'],
    ['09', '08', '07', '06'],
    ['05', '04', '03', '02'],
    ['01']
  ])
  t.equal(blocks[0]?.ranges.length, 16)
  t.match(blocks[0]?.ranges[0], { from: '2026-06-20T00:00:00.000Z', until: UNTIL, isNewestFirst: true })
  t.match(blocks.at(-1)?.ranges[0], { from: FROM, until: '2026-06-01T23:59:59.999Z' })
  t.strictSame(blocks[0]?.end, { receivedAt: '2026-06-19T23:59:59.999Z', id: '~' })
})

t.test('resumes at the position of a cursor, in both directions', async (t) => {
  const start = { receivedAt: '2026-06-19T06:00:00.000Z', id: 'ab' }
  const [older] = feedDays(FROM, UNTIL, { start, isNewestFirst: true })
  t.match(older?.ranges[0], { from: '2026-06-19T00:00:00.000Z', until: start.receivedAt })
  const newer = [...feedDays(FROM, UNTIL, { start, isNewestFirst: false })]
  t.strictSame(newer.map(daysOf), [['19'], ['20']])
  t.match(newer[0]?.ranges[0], { from: start.receivedAt, until: '2026-06-19T23:59:59.999Z' })
  t.strictSame(newer[0]?.end, { receivedAt: '2026-06-20T00:00:00.000Z', id: '!' })
})

t.test('has no day where the range is empty', async (t) => {
  t.strictSame([...feedDays(UNTIL, FROM, { start: undefined, isNewestFirst: true })], [])
})

t.test('reads whole partitions of another index as one block', async (t) => {
  const start = { receivedAt: UNTIL, id: 'ab' }
  const read = (isNewestFirst: boolean) =>
    wholeIndex(JOURNAL.unfinishedIndex, ['dead#0'], { start, isNewestFirst })
  t.match(read(true), [{ ranges: [{ partition: 'dead#0', from: /^0000/, until: UNTIL }] }])
  t.match(read(false), [{ ranges: [{ partition: 'dead#0', from: UNTIL, until: /^9999/ }] }])
})
