import fc from 'fast-check'
import t from 'tap'
import type { FeedPosition } from '../../../app/changes/change-cursor.ts'
import { FeedProgress } from '../../../app/changes/feed-progress.ts'

const START: FeedPosition = { since: 0, settled: 10_000, reported: new Map() }
const positionOf = (progress: FeedProgress) => {
  const { reported, ...rest } = progress.position()()
  return { ...rest, reported: [...reported].map((entry) => entry.join()) }
}

t.test('settles what was read, up to the time for which the index is complete', async (t) => {
  const progress = new FeedProgress(START)
  t.equal(progress.start(), 10_000)
  progress.reach(12_999, 20_500)
  t.equal(positionOf(progress).settled, 12_000, 'in whole seconds')
  progress.reach(30_000, 20_500)
  t.equal(positionOf(progress).settled, 20_000)
  progress.reach(31_000, 40_000)
  progress.end(50_000)
  t.equal(positionOf(progress).settled, 20_000, 'not settled: the index may have added earlier changes')
  t.equal(progress.start(), 20_000)
  progress.end(50_000)
  t.equal(positionOf(progress).settled, 50_000)
  progress.start()
  progress.end(40_000)
  t.equal(positionOf(progress).settled, 50_000, 'the clock was set back')
})

t.test('reports a state unless it was reported last', async (t) => {
  const progress = new FeedProgress({ ...START, reported: new Map([['a', 's1']]) })
  t.notOk(progress.report('a', 's1', 11_000))
  t.ok(progress.report('a', 's2', 12_000))
  t.notOk(progress.report('a', 's2', 12_000))
  t.ok(progress.report('a', 's1', 11_000), 'an older state, as the index shows it')
  t.ok(progress.report('a', 's2', 12_000))
  t.ok(progress.report('b', 's2', 12_000))
})

t.test(
  'keeps the last reported states in a position, and those from the cursor until they are found',
  async (t) => {
    const progress = new FeedProgress({
      ...START,
      reported: new Map([
        ['a', 's1'],
        ['b', 's1'],
        ['c', 's1']
      ])
    })
    progress.start()
    progress.report('b', 's1', 11_000)
    progress.report('d', 's1', 11_000)
    t.strictSame(positionOf(progress).reported, ['a,s1', 'c,s1', 'b,s1', 'd,s1'])
    progress.report('a', 's2', 14_000)
    progress.reach(14_000, 13_000)
    t.strictSame(positionOf(progress).reported, ['c,s1', 'a,s2'], 'settled states are dropped')
    progress.end(13_000)
    t.strictSame(positionOf(progress).reported, ['a,s2'])
  }
)

t.test('keeps a position unchanged while reading continues', async (t) => {
  const progress = new FeedProgress(START)
  const positions = Array.from({ length: 5000 }, (_, index) => {
    progress.report(`asset-${index % 50}`, `state-${index}`, 20_000 + index)
    progress.reach(20_000 + index, 1_000_000)
    return progress.position()
  })
  for (const [index, position] of positions.entries()) {
    if (index % 617 > 0) continue
    const { settled, reported } = position()
    t.equal(settled, Math.floor((20_000 + index) / 1000) * 1000)
    t.equal(reported.get(`asset-${index % 50}`), `state-${index}`)
    t.equal(reported.size, Math.min(50, index + 1, 20_000 + index - settled + 1))
  }
})

/** A change, and when it appears in the index. */
interface Write {
  asset: number
  writtenAt: number
  indexedAt: number
}

t.test('reports every last state once, however the index lags', async (t) => {
  const LAG_MS = 5000
  const write = fc.record({
    asset: fc.nat(8),
    writtenAt: fc.integer({ min: 10_000, max: 60_000 }),
    lag: fc.integer({ min: 0, max: LAG_MS })
  })
  const history = fc
    .array(write, { maxLength: 60 })
    .map((writes) =>
      writes
        .map(({ asset, writtenAt, lag }): Write => ({ asset, writtenAt, indexedAt: writtenAt + lag }))
        .toSorted((a, b) => a.writtenAt - b.writtenAt)
    )
  const stops = fc.infiniteStream(fc.boolean())
  const pace = fc.infiniteStream(fc.integer({ min: 0, max: 4000 }))
  fc.assert(
    fc.property(history, stops, pace, (writes, stop, pause) => {
      const reported: string[] = []
      const last = new Map<number, string>()
      let now = 10_000
      let position = START
      const wait = () => {
        now += pause.next().value as number
      }
      const stateOf = ({ asset, writtenAt }: Write) =>
        `${asset} ${writtenAt} ${writes.findIndex((one) => one.asset === asset && one.writtenAt === writtenAt)}`
      /** Returns the last known write of each asset, from a time and, within that second, from an asset. */
      const shown = (from: number, after: number) => {
        const known = new Map<number, Write>()
        for (const one of writes) if (one.indexedAt <= now) known.set(one.asset, one)
        return [...known.values()]
          .map((one) => ({ ...one, printed: Math.floor(one.writtenAt / 1000) * 1000 }))
          .filter(({ printed, asset }) => printed > from || (printed === from && asset > after))
          .toSorted((a, b) => a.printed - b.printed || a.asset - b.asset)
      }
      const read = () => {
        const progress = new FeedProgress(position)
        let [from, after] = [progress.start(), -1]
        for (;;) {
          const certainUntil = now - LAG_MS
          const page = shown(from, after).slice(0, 3)
          wait()
          for (const one of page) {
            progress.reach(one.printed, certainUntil)
            const state = stateOf(one)
            if (!progress.report(`${one.asset}`, state, one.printed)) continue
            reported.push(state)
            last.set(one.asset, state)
            if (stop.next().value) {
              position = progress.position()()
              return
            }
          }
          const end = page[2]
          if (end === undefined) {
            progress.end(certainUntil)
            position = progress.position()()
            return
          }
          after = end.printed > from ? -1 : end.asset
          from = end.printed
        }
      }
      while (now < 80_000) {
        read()
        now += 1 + (pause.next().value as number) / 4
      }
      for (let round = 0; round < 40; round++) read()
      const expected = new Map(writes.map((one) => [one.asset, stateOf(one)]))
      t.strictSame([...last].toSorted(), [...expected].toSorted())
      t.equal(new Set(reported).size, reported.length, 'no duplicates')
    }),
    { numRuns: 200 }
  )
})
