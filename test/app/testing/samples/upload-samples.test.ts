import { test } from 'tap'
import { sampleContext } from '../../../../app/testing/samples/sample-asset.ts'
import { UPLOADS } from '../../../../app/testing/samples/upload-samples.ts'

const now = new Date('2026-02-03T04:05:06.789Z')
const context = sampleContext({ publicId: 'shop/brown', now })

test('contains an image with its fields and key', async (t) => {
  t.match(UPLOADS.upload.image(context), {
    timestamp: '2026-02-03T04:05:06+00:00',
    asset_id: /^[0-9a-f]{32}$/,
    public_id: 'shop/brown',
    version: 1770091506,
    width: 1279,
    height: 853,
    format: 'jpg',
    resource_type: 'image',
    created_at: '2026-02-03T04:05:06Z',
    tags: [],
    bytes: Number,
    type: 'upload',
    asset_folder: 'shop',
    display_name: 'brown',
    api_key: '222222222222222'
  })
})

test('contains duration and streams of a video', async (t) => {
  const video = {
    resource_type: 'video',
    width: 1920,
    duration: Number,
    bit_rate: Number,
    frame_rate: Number,
    video: { codec: 'h264' },
    audio: { codec: 'aac' },
    playback_url: /\/shop\/brown\.m3u8$/
  }
  t.match(UPLOADS.upload.video(context), video)
  t.match(UPLOADS.upload.image({ ...context, resourceType: 'video' }), video)
})

test('omits size and format of a raw asset', async (t) => {
  const raw = UPLOADS.upload.raw(context)
  t.equal(raw.resource_type, 'raw')
  t.notOk('width' in raw || 'format' in raw || 'duration' in raw)
})

test('contains results of add-ons and metadata', async (t) => {
  t.match(UPLOADS.upload.moderation(context), { moderation: [{ kind: 'manual', status: 'pending' }] })
  t.match(UPLOADS.upload.info(context), {
    info: { categorization: { google_tagging: { status: 'complete' } } }
  })
  t.match(UPLOADS.upload.metadata(context), {
    context: { custom: { alt: String } },
    metadata: { cms_id: 'cms-1001' }
  })
})

test('keeps the version of an existing asset', async (t) => {
  t.match(UPLOADS.upload.existing(context), {
    existing: true,
    timestamp: '2026-02-03T04:05:06+00:00',
    created_at: '2026-02-02T04:05:06Z',
    version: 1770005106
  })
})

test('contains a restored version and an archive', async (t) => {
  t.match(UPLOADS.restore_asset_version.default(context), {
    public_id: 'shop/brown'
  })
  t.match(UPLOADS.generate_archive.default(context), {
    resource_type: 'raw',
    file_count: 12
  })
})

test('supports every resource type in each variant', async (t) => {
  for (const variant of ['moderation', 'info', 'metadata', 'existing'] as const) {
    t.match(UPLOADS.upload[variant]({ ...context, resourceType: 'video' }), { resource_type: 'video' })
  }
  t.match(UPLOADS.restore_asset_version.default({ ...context, resourceType: 'raw' }), {
    resource_type: 'raw'
  })
})
