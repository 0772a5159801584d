import t from 'tap'
import { memoryState } from '../../../app/testing/memory-state.ts'

t.test('separates owners and stores JSON', async (t) => {
  const { state, store, entries } = memoryState()
  await state.set('when', new Date(0))
  await store.of('other').set('when', 1)
  t.equal(await state.get('when'), '1970-01-01T00:00:00.000Z')
  t.strictSame([...entries.keys()], ['test/when', 'other/when'])
  await state.delete('when')
  t.equal(await state.get('when'), undefined)
  t.equal(await store.of('other').get('when'), 1)
  await store.ofCommand('changes').set('when', 2)
  t.equal(await store.of('changes').get('when'), undefined)
})
