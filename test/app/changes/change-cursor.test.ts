import fc from 'fast-check'
import t from 'tap'
import {
  assetKey,
  decodeCursor,
  encodeCursor,
  type Position,
  stateKey
} from '../../../app/changes/change-cursor.ts'

const scope = { cloudName: 'demo', field: 'last_update_timestamp' }
const time = fc.integer({ min: 0, max: 4_102_444_800_000 })
const position: fc.Arbitrary<Position> = fc.record({
  since: time,
  settled: time,
  told: fc
    .array(fc.tuple(fc.string().map(assetKey), fc.string().map(stateKey)))
    .map((entries) => new Map(entries))
})

const refused = { code: 'CHANGES_CURSOR_INVALID' }

t.test('a position survives being written and read, in the order of telling', async (t) => {
  fc.assert(
    fc.property(position, (given) => {
      const cursor = encodeCursor(given, scope)
      t.match(cursor, /^v1\.[\w-]+$/)
      const read = decodeCursor(cursor, scope)
      t.strictSame({ ...read, told: [...read.told] }, { ...given, told: [...given.told] })
    })
  )
})

t.test('a cursor that lost or changed a character is refused', async (t) => {
  const damage = fc.record({ at: fc.nat(), by: fc.constantFrom('', 'A', 'b', '-', '.', ' ', 'é') })
  fc.assert(
    fc.property(position, damage, (given, { at, by }) => {
      const cursor = encodeCursor(given, scope)
      const index = at % cursor.length
      const damaged = cursor.slice(0, index) + by + cursor.slice(index + 1)
      // the last character of base64 may have bits that say nothing
      if (damaged === cursor || index === cursor.length - 1) return
      t.throws(() => decodeCursor(damaged, scope), refused)
    })
  )
})

t.test('what is no cursor is refused, whatever it is', async (t) => {
  const nonsense = ['', 'v1.', 'v1.AAAA', 'v2.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '2026-06-01', 'null']
  for (const text of nonsense) t.throws(() => decodeCursor(text, scope), refused, text)
  fc.assert(fc.property(fc.string(), (text) => void t.throws(() => decodeCursor(text, scope), refused)))
})

t.test('a cursor of another environment or field is refused', async (t) => {
  const cursor = encodeCursor({ since: 1, settled: 2, told: new Map() }, scope)
  const message = /is not of the field "touched" in the environment "demo"/
  t.throws(() => decodeCursor(cursor, { ...scope, field: 'touched' }), { ...refused, message })
  t.throws(() => decodeCursor(cursor, { ...scope, cloudName: 'other' }), refused)
})

t.test('a long list loses its beginning, so that a cursor stays an argument', async (t) => {
  const entries = Array.from({ length: 20_000 }, (_, index) => [assetKey(`${index}`), stateKey('x')] as const)
  const cursor = encodeCursor({ since: 1, settled: 2, told: new Map(entries) }, scope)
  t.ok(cursor.length < 107_000, `${cursor.length}`)
  const { told } = decodeCursor(cursor, scope)
  t.equal(told.size, 8000)
  t.ok(told.has(entries.at(-1)![0]))
  t.notOk(told.has(entries[0]![0]))
})

t.test('keys are the same for the same, and differ for others', async (t) => {
  t.match(assetKey('a'), /^[0-9a-f]{8}$/)
  t.match(stateKey('a'), /^[0-9a-f]{12}$/)
  t.equal(stateKey('a'), stateKey('a'))
  t.not(stateKey('a'), stateKey('b'))
})
