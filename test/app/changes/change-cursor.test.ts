import fc from 'fast-check'
import t from 'tap'
import {
  assetKey,
  decodeCursor,
  encodeCursor,
  type FeedPosition,
  stateKey
} from '../../../app/changes/change-cursor.ts'

const scope = { cloudName: 'demo', field: 'last_update_timestamp' }
const time = fc.integer({ min: 0, max: 4_102_444_800_000 })
const position: fc.Arbitrary<FeedPosition> = fc.record({
  since: time,
  settled: time,
  reported: fc
    .array(fc.tuple(fc.string().map(assetKey), fc.string().map(stateKey)))
    .map((entries) => new Map(entries))
})

const rejected = { code: 'CHANGES_CURSOR_INVALID' }

t.test('decodes what it encodes', async (t) => {
  fc.assert(
    fc.property(position, (given) => {
      const cursor = encodeCursor(given, scope)
      t.match(cursor, /^v1\.[\w-]+$/)
      const read = decodeCursor(cursor, scope)
      t.strictSame({ ...read, reported: [...read.reported] }, { ...given, reported: [...given.reported] })
    })
  )
})

t.test('rejects a damaged cursor', async (t) => {
  const damage = fc.record({ at: fc.nat(), by: fc.constantFrom('', 'A', 'b', '-', '.', ' ', 'é') })
  fc.assert(
    fc.property(position, damage, (given, { at, by }) => {
      const cursor = encodeCursor(given, scope)
      const index = at % cursor.length
      const damaged = cursor.slice(0, index) + by + cursor.slice(index + 1)
      // the last character of base64 may have unused bits
      if (damaged === cursor || index === cursor.length - 1) return
      t.throws(() => decodeCursor(damaged, scope), rejected)
    })
  )
})

t.test('rejects any other text', async (t) => {
  const nonsense = ['', 'v1.', 'v1.AAAA', 'v2.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '2026-06-01', 'null']
  for (const text of nonsense) t.throws(() => decodeCursor(text, scope), rejected, text)
  fc.assert(fc.property(fc.string(), (text) => void t.throws(() => decodeCursor(text, scope), rejected)))
})

t.test('rejects a cursor of another environment or field', async (t) => {
  const cursor = encodeCursor({ since: 1, settled: 2, reported: new Map() }, scope)
  const message = /"touched".*"demo"/
  t.throws(() => decodeCursor(cursor, { ...scope, field: 'touched' }), { ...rejected, message })
  t.throws(() => decodeCursor(cursor, { ...scope, cloudName: 'other' }), rejected)
})

t.test('drops the oldest states, so that a cursor fits an argument', async (t) => {
  const entries = Array.from({ length: 20_000 }, (_, index) => [assetKey(`${index}`), stateKey('x')] as const)
  const cursor = encodeCursor({ since: 1, settled: 2, reported: new Map(entries) }, scope)
  t.ok(cursor.length < 107_000, `${cursor.length}`)
  const { reported } = decodeCursor(cursor, scope)
  t.equal(reported.size, 8000)
  t.ok(reported.has(entries.at(-1)![0]))
  t.notOk(reported.has(entries[0]![0]))
})

t.test('derives keys from the content', async (t) => {
  t.match(assetKey('a'), /^[0-9a-f]{8}$/)
  t.match(stateKey('a'), /^[0-9a-f]{12}$/)
  t.equal(stateKey('a'), stateKey('a'))
  t.not(stateKey('a'), stateKey('b'))
})
