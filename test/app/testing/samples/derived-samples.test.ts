import { test } from 'tap'
import { DERIVED } from '../../../../app/testing/samples/derived-samples.ts'
import { sampleContext } from '../../../../app/testing/samples/sample-asset.ts'

const context = sampleContext({ publicId: 'clip', now: new Date('2026-02-03T04:05:06.789Z') })

test('omits kind and duration in eager notifications', async (t) => {
  for (const make of Object.values(DERIVED.eager)) {
    const body = make(context)
    t.match(body, {
      batch_id: /^[0-9a-f]{96}$/,
      public_id: 'clip',
      asset_id: String
    })
    t.notOk('resource_type' in body || 'type' in body || 'duration' in body)
  }
})

test('contains size and URL of derived images and videos', async (t) => {
  t.match(DERIVED.eager.image(context), {
    eager: [{ width: 400, height: 400, bytes: Number }, { width: 1200 }]
  })
  t.match(DERIVED.eager.video(context), {
    eager: [
      {
        transformation: 'c_limit,q_auto,w_640/mp4',
        url: 'http://res.cloudinary.com/demo/video/upload/c_limit,q_auto,w_640/v1770091506/clip.mp4'
      }
    ]
  })
})

test('omits the size of a playlist', async (t) => {
  const [playlist, fallback] = DERIVED.eager.hls(context).eager
  t.match(playlist, { transformation: 'sp_full_hd/m3u8', format: 'm3u8', secure_url: /\.m3u8$/ })
  t.notOk('width' in playlist! || 'height' in playlist!)
  t.match(fallback, { width: 1280, height: 720 })
})

test('explains a failure', async (t) => {
  t.match(DERIVED.eager.failed(context), { eager: [{ status: 'failed', reason: /too large/ }] })
})

test('contains URLs of pages, animations and sprites', async (t) => {
  t.match(DERIVED.explode.default(context), {
    pages: 3,
    image_infos: [{ url: /pg_1/ }, { url: /pg_2/ }, { url: /pg_3/ }]
  })
  t.match(DERIVED.multi.default(context), { url: /\/multi\/.*clip\.gif$/, version: 1770091506 })
  t.match(DERIVED.sprite.default(context), { css_url: /\/sprite\/.*clip\.css$/, image_infos: Object })
})
