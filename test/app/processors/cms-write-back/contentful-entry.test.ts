import t from 'tap'
import { OwedVersions } from '../../../../app/processors/cms-write-back/contentful-entry.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'

// `updateEntry` is tested with the client, in contentful.test.ts
t.test('keeps the versions to be published, per event', async (t) => {
  const { state, entries } = memoryState()
  const owed = new OwedVersions(state, { id: 'e1', occurredAt: '' })
  t.strictSame(await owed.read(), {})
  await owed.add('a', 3)
  await owed.add('b', 4)
  t.strictSame(await owed.read(), { a: 3, b: 4 })
  t.strictSame(await new OwedVersions(state, { id: 'e2', occurredAt: '' }).read(), {})
  await owed.remove('a')
  t.strictSame(await owed.read(), { b: 4 })
  await owed.remove('b')
  t.equal(entries.size, 0)
})
