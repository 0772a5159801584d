import t from 'tap'
import { MAX_STORED_REPLAYS, type ReplayRecord, withReplay } from '../../../app/journal/replay-record.ts'

const AT = '2026-06-01T12:00:00.000Z'
const LATER = '2026-06-01T12:00:09.000Z'

t.test('records who, when and from where', (t) => {
  const run = { kind: 'redrive', id: 'r1', by: 'anna', at: AT, from: 'page' } as const
  t.strictSame(withReplay([], run, LATER), [{ run: 'r1', kind: 'redrive', by: 'anna', at: AT, from: 'page' }])
  t.strictSame(withReplay([], { kind: 'replay', id: 'r1' }, LATER), [
    { run: 'r1', kind: 'replay', at: LATER }
  ])
  t.equal(withReplay([], { ...run, by: 'x'.repeat(500) }, LATER)[0]?.by?.length, 100)
  t.end()
})

t.test('keeps the last replays, and each once', (t) => {
  let replays: readonly ReplayRecord[] = []
  for (let run = 0; run < 15; run++) replays = withReplay(replays, { kind: 'replay', id: `r${run}` }, AT)
  t.equal(replays.length, MAX_STORED_REPLAYS)
  t.equal(replays.at(-1)?.run, 'r14')
  t.equal(withReplay(replays, { kind: 'replay', id: 'r14' }, LATER).length, MAX_STORED_REPLAYS)
  t.end()
})
