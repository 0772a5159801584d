import t from 'tap'
import { SearchIndex } from '../../../dev/cloudinary/search-index.ts'
import { assetWith } from './fixtures.ts'

/** An index whose next changes have the given lags. */
function start(...lags: number[]) {
  const index = new SearchIndex(() => lags.shift() ?? 0)
  return { index, tags: (now: number) => index.all(now).map(({ tags }) => tags.join()) }
}

t.test('finds an asset after the lag, as it was when it was written', async (t) => {
  const { index, tags } = start(10)
  const asset = assetWith({ tags: ['written'] })
  index.write(asset, 100)
  asset.tags.push('later')
  t.strictSame(tags(109), [])
  t.strictSame(tags(110), ['written'])
  t.strictSame(tags(111), ['written'])
})

t.test('each change has its own lag, so assets appear in any order', async (t) => {
  const { index } = start(50, 0)
  index.write(assetWith({ assetId: 'slow' }), 100)
  index.write(assetWith({ assetId: 'quick' }), 101)
  const found = (now: number) => index.all(now).map(({ assetId }) => assetId)
  t.strictSame(found(101), ['quick'])
  t.strictSame(found(150), ['slow', 'quick'])
})

t.test('a change that is indexed late does not restore an older state', async (t) => {
  const { index, tags } = start(50, 10)
  index.write(assetWith({ tags: ['first'] }), 100)
  index.write(assetWith({ tags: ['second'] }), 101)
  t.strictSame(tags(111), ['second'])
  t.strictSame(tags(150), ['second'])
})

t.test('finds a deleted asset until the lag has passed', async (t) => {
  const { index, tags } = start(0, 10)
  const asset = assetWith({ tags: ['there'] })
  index.write(asset, 100)
  index.remove(asset, 101)
  t.strictSame(tags(110), ['there'])
  t.strictSame(tags(111), [])
  index.write(asset, 112)
  t.strictSame(tags(112), ['there'])
})
