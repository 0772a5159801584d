import t from 'tap'
import { Cloud } from '../../../dev/cloudinary/cloud.ts'
import { assetWith } from './fixtures.ts'

const own = { apiKey: '1', apiSecret: 'secret' }

t.test('each cloud has a colleague key, the same at every start', async (t) => {
  const cloud = new Cloud({ cloudName: 'demo', ...own })
  const [colleague] = cloud.foreign
  t.match(colleague.apiKey, /^\d{15}$/)
  t.equal(cloud.secretOf('1'), 'secret')
  t.equal(cloud.secretOf(colleague.apiKey), colleague.apiSecret)
  t.equal(cloud.secretOf('2'), undefined)
  t.same(new Cloud({ cloudName: 'demo', ...own }).foreign, cloud.foreign)
  t.notSame(new Cloud({ cloudName: 'other', ...own }).foreign, cloud.foreign)
})

t.test('uses the given keys', async (t) => {
  const foreignKeys = [
    { apiKey: '2', apiSecret: 'b' },
    { apiKey: '3', apiSecret: 'c' }
  ]
  const cloud = new Cloud({ cloudName: 'demo', ...own, foreignKeys })
  t.same(cloud.foreign, foreignKeys)
  t.equal(cloud.secretOf('3'), 'c')
  t.equal(cloud.cloudinaryUrl('http://h:1'), 'cloudinary://1:secret@demo?upload_prefix=http://h:1')
  t.equal(
    cloud.cloudinaryUrl('http://h:1', cloud.foreign[0]),
    'cloudinary://2:b@demo?upload_prefix=http://h:1'
  )
})

t.test('with a search lag, returns assets as they were when indexed', async (t) => {
  const now = { cloudName: 'now', ...own }
  const [prompt, lagging] = [new Cloud(now), new Cloud(now, () => 10)]
  const found = (cloud: Cloud, at: number) => cloud.indexed(at).map(({ tags }) => tags.join())
  for (const cloud of [prompt, lagging]) {
    const asset = assetWith({ tags: ['first'] })
    cloud.assets.add(asset)
    cloud.index([asset], 100)
    asset.tags = ['second']
  }
  t.strictSame(found(prompt, 100), ['second'])
  t.strictSame(found(lagging, 100), [])
  t.strictSame(found(lagging, 110), ['first'])
  for (const cloud of [prompt, lagging]) cloud.remove(cloud.assets.all(), 120)
  t.strictSame([prompt.assets.all(), lagging.assets.all()], [[], []])
  t.strictSame(found(prompt, 120), [])
  t.strictSame(found(lagging, 129), ['first'])
  t.strictSame(found(lagging, 130), [])
})
