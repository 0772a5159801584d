import t from 'tap'
import { UnpublishedVersions } from '../../../../app/processors/cms-write-back/contentful-entry.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'

// `updateEntry` is tested with the client, in contentful.test.ts
t.test('keeps the versions to be published, per event', async (t) => {
  const { state, entries } = memoryState()
  const unpublished = new UnpublishedVersions(state, { id: 'e1', occurredAt: '' })
  t.strictSame(await unpublished.read(), {})
  await unpublished.add('a', 3)
  await unpublished.add('b', 4)
  t.strictSame(await unpublished.read(), { a: 3, b: 4 })
  t.strictSame(await new UnpublishedVersions(state, { id: 'e2', occurredAt: '' }).read(), {})
  await unpublished.remove('a')
  t.strictSame(await unpublished.read(), { b: 4 })
  await unpublished.remove('b')
  t.equal(entries.size, 0)
})
