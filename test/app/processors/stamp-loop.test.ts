import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import { foreignStamps, LoopGuard } from '../../../app/processors/stamp-loop.ts'
import { memoryState } from '../../../app/testing/memory-state.ts'
import { HAPPENED_AT, sampleEvent } from '../../support/events.ts'

const NOW = HAPPENED_AT.getTime()
const event = sampleEvent('resource_metadata_changed')
const iso = (milliseconds: number) => new Date(milliseconds).toISOString()

t.test('finds stamps in changes that set only recent times', async (t) => {
  const stampsIn = (before: object, after: object) => [
    ...(foreignStamps(event, { ...before }, { ...after }, (name) => name === 'own') ?? [])
  ]
  t.strictSame(stampsIn({ theirs: 'x', kept: 1 }, { theirs: iso(NOW - 1000), kept: 1 }), [
    ['theirs', NOW - 1000]
  ])
  t.strictSame(
    stampsIn({ gone: 1 }, { theirs: Math.floor(NOW / 1000) }).length,
    1,
    'removed fields do not count'
  )
  t.strictSame(stampsIn({}, { theirs: iso(NOW), others: iso(NOW) }).length, 2)
  t.strictSame(stampsIn({}, { theirs: iso(NOW), own: 'x' }).length, 1, 'own stamps do not count')
  for (const after of [
    {},
    { own: iso(NOW) },
    { theirs: iso(NOW), note: 'new' },
    { theirs: null },
    { theirs: 'soon' },
    { theirs: iso(NOW - 25 * 3_600_000) },
    { theirs: iso(NOW + 60_000) },
    { count: 5 }
  ]) {
    t.strictSame(stampsIn({}, after), [], JSON.stringify(after))
  }
})

/** Guards of one listener, with a test clock. */
function build() {
  const time = { now: NOW }
  const { state, entries } = memoryState()
  const warnings: Record<string, unknown>[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void warnings.push(JSON.parse(line)) })
  const open = (field: string, at: number, asset: object = { assetId: 'a' }) =>
    new LoopGuard({ ...event, asset }, new Map([[field, at]]), { state, log }, () => time.now)
  /** Handles a change that sets a field to a time. Returns whether it is stamped. */
  const handle = async (field: string, at: number, asset?: object) => {
    const guard = open(field, at, asset)
    if (await guard.stops()) return false
    await guard.around(async () => {
      time.now += 20
    })
    return true
  }
  return { time, warnings, entries, handle }
}

t.test('stops at the third answer, and later loops at the first', async (t) => {
  const { time, warnings, handle } = build()
  const stamped: boolean[] = []
  for (let turn = 0; turn < 4; turn++) {
    const written = time.now
    time.now += 60_000
    stamped.push(await handle('theirs', written))
    time.now -= 20
  }
  t.strictSame(stamped, [true, true, true, false])
  t.match(warnings, [{ code: 'STAMP_LOOP', fields: 'theirs', level: 40 }])
  time.now += 3_600_000
  const edited = time.now
  time.now += 60_000
  t.equal(await handle('theirs', edited, { publicId: 'bag' }), true, 'not the time of a write')
  t.equal(await handle('theirs', time.now - 20, { publicId: 'bag' }), false)
  t.equal(warnings.length, 1)
})

t.test('matches answers to any earlier write, however late', async (t) => {
  const { time, handle } = build()
  const writes: number[] = []
  for (let write = 0; write < 3; write++) {
    time.now += 600_000
    writes.push(time.now)
    t.equal(await handle('theirs', time.now - 300_000), true)
  }
  time.now += 12 * 3_600_000
  const stamped = []
  for (const write of writes) stamped.push(await handle('theirs', Math.floor(write / 1000) * 1000))
  t.strictSame(stamped, [true, true, false])
})

t.test('does not count answers a day apart together', async (t) => {
  const { time, warnings, handle } = build()
  await handle('theirs', 0)
  for (let turn = 0; turn < 6; turn++) {
    const written = time.now - 20
    time.now += 25 * 3_600_000
    t.equal(await handle('theirs', written), true)
  }
  t.strictSame(warnings, [])
})

t.test('stamps any time that is not one of our writes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 6, max: 3600 }), { maxLength: 30 }), async (pauses) => {
      const { time, handle } = build()
      for (const pause of pauses) {
        time.now += pause * 1000
        if (!(await handle('published_at', time.now))) return false
      }
      return true
    })
  )
})

t.test('stamps an answering listener only a few times', async () => {
  const delays = fc.array(fc.integer({ min: 0, max: 3600 }), { minLength: 30, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(delays, async (seconds) => {
      const { time, handle } = build()
      let stamps = 0
      let written = time.now
      for (const delay of seconds) {
        time.now += delay * 1000
        if (!(await handle('theirs', written))) break
        stamps++
        written = time.now - 10
      }
      return stamps <= 4
    })
  )
})
