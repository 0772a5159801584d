import t from 'tap'
import { describeMedia, TINY_PNG } from '../../../dev/cloudinary/media.ts'

t.test('recognizes a PNG by its bytes, with any name', async (t) => {
  t.match(describeMedia(TINY_PNG, 'a.jpg', 'auto'), {
    resourceType: 'image',
    format: 'png',
    width: 1,
    height: 1,
    bytes: TINY_PNG.length,
    etag: /^[0-9a-f]{32}$/
  })
})

t.test('recognizes other formats by name', async (t) => {
  const bytes = Buffer.from('x')
  t.match(describeMedia(bytes, 'A.MP4', 'auto'), { resourceType: 'video', format: 'mp4', duration: 10 })
  t.match(describeMedia(bytes, 'a', 'video'), { resourceType: 'video', format: 'mp4' })
  t.match(describeMedia(bytes, 'a.gif', 'auto'), { resourceType: 'image', format: 'gif', width: 640 })
  t.match(describeMedia(bytes, 'a', 'image'), { format: 'jpg' })
  t.same(Object.keys(describeMedia(bytes, 'a.csv', 'auto')), ['resourceType', 'bytes', 'etag'])
  t.equal(describeMedia(bytes, 'a', 'auto').resourceType, 'raw')
})
