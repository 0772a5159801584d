import t from 'tap'
import { Cloud } from '../../../dev/cloudinary/cloud.ts'

const own = { apiKey: '1', apiSecret: 'secret' }

t.test('each cloud has a key besides the listener own, the same at every start', async (t) => {
  const cloud = new Cloud({ cloudName: 'demo', ...own })
  const [colleague] = cloud.foreign
  t.match(colleague.apiKey, /^\d{15}$/)
  t.equal(cloud.secretOf('1'), 'secret')
  t.equal(cloud.secretOf(colleague.apiKey), colleague.apiSecret)
  t.equal(cloud.secretOf('2'), undefined)
  t.same(new Cloud({ cloudName: 'demo', ...own }).foreign, cloud.foreign)
  t.notSame(new Cloud({ cloudName: 'other', ...own }).foreign, cloud.foreign)
})

t.test('keys that are given are taken', async (t) => {
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
