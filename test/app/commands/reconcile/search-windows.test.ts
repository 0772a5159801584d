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
  return {
    from: new Date(window.from).toISOString().slice(5, 16),
    movesWatermark: window.movesWatermark,
    why: window.why
  }
}
const through = (text: string, complete = true) => ({ through: `2026-06-${text}:00.000Z`, complete })

t.test('starts the first pass a day back', async (t) => {
  t.match(from(undefined), { from: '06-29T12:00', movesWatermark: true, why: /first pass/ })
})

t.test('starts a pass shortly before the end of the last one', async (t) => {
  t.match(from(through('30T10:00')), { from: '06-30T09:50', movesWatermark: true, why: /less 10 minutes/ })
})

t.test('resumes an unfinished pass without overlap', async (t) => {
  t.match(from(through('30T10:00', false)), {
    from: '06-30T10:00',
    movesWatermark: true,
    why: /last pass stopped/
  })
})

t.test('moves the watermark only if there is no gap', async (t) => {
  t.match(from(through('30T10:00'), time('20T00:00')), {
    from: '06-20T00:00',
    movesWatermark: true,
    why: /--since/
  })
  t.match(from(through('30T10:00'), time('30T10:00')), { from: '06-30T10:00', movesWatermark: true })
  t.match(from(through('30T10:00'), time('30T10:01')), { from: '06-30T10:01', movesWatermark: false })
  t.match(from(undefined, time('30T10:01')), { from: '06-30T10:01', movesWatermark: true })
})

t.test('starts at most 29 days back', async (t) => {
  t.match(from(through('01T09:00'), time('01T00:00')), {
    from: '06-01T12:00',
    movesWatermark: true,
    why: /29 days back/
  })
  t.match(from(through('01T09:00', false)), { from: '06-01T12:00', why: /29 days back/ })
})

t.test('stores a watermark for each kind of change of each cloud', async (t) => {
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
