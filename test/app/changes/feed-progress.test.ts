import fc from 'fast-check'
import t from 'tap'
import type { Position } from '../../../app/changes/change-cursor.ts'
import { Progress } from '../../../app/changes/feed-progress.ts'

const START: Position = { since: 0, settled: 10_000, told: new Map() }
const positionOf = (progress: Progress) => {
  const { told, ...rest } = progress.position()()
  return { ...rest, told: [...told].map((entry) => entry.join()) }
}

t.test('what is passed by is settled, up to what the index was certain to hold', async (t) => {
  const progress = new Progress(START)
  t.equal(progress.begin(), 10_000)
  progress.reach(12_999, 20_500)
  t.equal(positionOf(progress).settled, 12_000, 'in whole seconds')
  progress.reach(30_000, 20_500)
  t.equal(positionOf(progress).settled, 20_000)
  progress.reach(31_000, 40_000)
  progress.end(50_000)
  t.equal(positionOf(progress).settled, 20_000, 'what the index may have shown behind us is not settled')
  t.equal(progress.begin(), 20_000)
  progress.end(50_000)
  t.equal(positionOf(progress).settled, 50_000)
  progress.begin()
  progress.end(40_000)
  t.equal(positionOf(progress).settled, 50_000, 'a clock that is set back unsettles nothing')
})

t.test('a state is new unless it was told last of its asset', async (t) => {
  const progress = new Progress({ ...START, told: new Map([['a', 's1']]) })
  t.notOk(progress.tell('a', 's1', 11_000))
  t.ok(progress.tell('a', 's2', 12_000))
  t.notOk(progress.tell('a', 's2', 12_000))
  t.ok(
    progress.tell('a', 's1', 11_000),
    'an index that goes back is followed, and so it is when it comes again'
  )
  t.ok(progress.tell('a', 's2', 12_000))
  t.ok(progress.tell('b', 's2', 12_000))
})

t.test('a position holds what was told last, and what an earlier reading told until it is met', async (t) => {
  const progress = new Progress({
    ...START,
    told: new Map([
      ['a', 's1'],
      ['b', 's1'],
      ['c', 's1']
    ])
  })
  progress.begin()
  progress.tell('b', 's1', 11_000)
  progress.tell('d', 's1', 11_000)
  t.strictSame(positionOf(progress).told, ['a,s1', 'c,s1', 'b,s1', 'd,s1'])
  progress.tell('a', 's2', 14_000)
  progress.reach(14_000, 13_000)
  t.strictSame(positionOf(progress).told, ['c,s1', 'a,s2'], 'what is settled needs no remembering')
  progress.end(13_000)
  t.strictSame(positionOf(progress).told, ['a,s2'])
})

t.test('a position stays what it was, whatever is told later', async (t) => {
  const progress = new Progress(START)
  const positions = Array.from({ length: 5000 }, (_, index) => {
    progress.tell(`asset-${index % 50}`, `state-${index}`, 20_000 + index)
    progress.reach(20_000 + index, 1_000_000)
    return progress.position()
  })
  for (const [index, position] of positions.entries()) {
    if (index % 617 > 0) continue
    const { settled, told } = position()
    t.equal(settled, Math.floor((20_000 + index) / 1000) * 1000)
    t.equal(told.get(`asset-${index % 50}`), `state-${index}`)
    t.equal(told.size, Math.min(50, index + 1, 20_000 + index - settled + 1))
  }
})

/** A change, and when the index shows it. */
interface Write {
  asset: number
  writtenAt: number
  indexedAt: number
}

t.test('however the index lags, every last state is told, and none twice', async (t) => {
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
      const told: string[] = []
      const last = new Map<number, string>()
      let now = 10_000
      let position = START
      const wait = () => {
        now += pause.next().value as number
      }
      const stateOf = ({ asset, writtenAt }: Write) =>
        `${asset} ${writtenAt} ${writes.findIndex((one) => one.asset === asset && one.writtenAt === writtenAt)}`
      /** What the index shows from a time on, and within that second from an asset on: of each the last write it knows. */
      const shown = (from: number, after: number) => {
        const known = new Map<number, Write>()
        for (const one of writes) if (one.indexedAt <= now) known.set(one.asset, one)
        return [...known.values()]
          .map((one) => ({ ...one, printed: Math.floor(one.writtenAt / 1000) * 1000 }))
          .filter(({ printed, asset }) => printed > from || (printed === from && asset > after))
          .toSorted((a, b) => a.printed - b.printed || a.asset - b.asset)
      }
      const read = () => {
        const progress = new Progress(position)
        let [from, after] = [progress.begin(), -1]
        for (;;) {
          const certainUntil = now - LAG_MS
          const page = shown(from, after).slice(0, 3)
          wait()
          for (const one of page) {
            progress.reach(one.printed, certainUntil)
            const state = stateOf(one)
            if (!progress.tell(`${one.asset}`, state, one.printed)) continue
            told.push(state)
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
      t.equal(new Set(told).size, told.length, 'none twice')
    }),
    { numRuns: 200 }
  )
})
