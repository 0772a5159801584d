import t from 'tap'
import { type Watermark, Watermarks, windowOf } from '../../../../app/commands/reconcile/search-windows.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { METADATA, TAGS } from './fixtures.ts'

const time = (text: string) => Date.parse(`2026-06-${text}:00.000Z`)
const now = time('30T12:00')
const until = time('30T11:15')

const from = (watermark: Watermark | undefined, since?: number) => {
  const window = windowOf(watermark, { since, until, now })
  t.equal(window.until, until)
  return { from: new Date(window.from).toISOString().slice(5, 16), keeps: window.keeps, why: window.why }
}
const through = (text: string, complete = true) => ({ through: `2026-06-${text}:00.000Z`, complete })

t.test('the first pass looks a day back', async (t) => {
  t.match(from(undefined), { from: '06-29T12:00', keeps: true, why: /first pass/ })
})

t.test('another begins a little before the last one ended', async (t) => {
  t.match(from(through('30T10:00')), { from: '06-30T09:50', keeps: true, why: /less 10 minutes/ })
})

t.test(
  'where the last one was stopped it goes on, and not before: it might never come further',
  async (t) => {
    t.match(from(through('30T10:00', false)), { from: '06-30T10:00', keeps: true, why: /was stopped/ })
  }
)

t.test('since a time that leaves out nothing the watermark follows; else it stays', async (t) => {
  t.match(from(through('30T10:00'), time('20T00:00')), { from: '06-20T00:00', keeps: true, why: /--since/ })
  t.match(from(through('30T10:00'), time('30T10:00')), { from: '06-30T10:00', keeps: true })
  t.match(from(through('30T10:00'), time('30T10:01')), { from: '06-30T10:01', keeps: false })
  t.match(from(undefined, time('30T10:01')), { from: '06-30T10:01', keeps: true })
})

t.test('it never looks further back than the journal remembers', async (t) => {
  t.match(from(through('01T09:00'), time('01T00:00')), {
    from: '06-01T12:00',
    keeps: true,
    why: /29 days back/
  })
  t.match(from(through('01T09:00', false)), { from: '06-01T12:00', why: /29 days back/ })
})

t.test('watermarks are kept for each side of each cloud', async (t) => {
  const { state } = memoryState()
  const marks = new Watermarks(state, 'demo')
  await marks.load()
  t.equal(marks.of(TAGS), undefined)
  await marks.save(TAGS, time('30T10:00'), false)
  await marks.save(METADATA, time('30T11:00'), true)
  t.strictSame(marks.of(TAGS), through('30T10:00', false))
  const again = new Watermarks(state, 'demo')
  await again.load()
  t.strictSame([again.of(TAGS), again.of(METADATA)], [through('30T10:00', false), through('30T11:00')])
  const other = new Watermarks(state, 'other')
  await other.load()
  t.equal(other.of(TAGS), undefined)
})
