import { test } from 'tap'
import { REVIEWS } from '../../../../app/testing/samples/review-samples.ts'
import { sampleContext } from '../../../../app/testing/samples/sample-asset.ts'

const context = sampleContext({ publicId: 'brown', count: 1, now: new Date('2026-02-03T04:05:06.789Z') })

test('contains status, kind and response of a moderation', async (t) => {
  t.match(REVIEWS.moderation.approved(context), {
    public_id: 'brown',
    moderation_status: 'approved',
    moderation_kind: 'aws_rek',
    moderation_response: { moderation_labels: [] },
    moderation_updated_at: '2026-02-03T04:05:06Z'
  })
  t.match(REVIEWS.moderation.rejected(context), {
    moderation_status: 'rejected',
    moderation_response: { moderation_labels: [{ name: 'Suggestive' }] }
  })
})

test('states the kind of the asset only in URLs', async (t) => {
  const { approved, rejected, 'without-asset-id': of2020 } = REVIEWS.moderation
  for (const body of [approved(context), rejected(context), REVIEWS.info.default(context)]) {
    t.notOk('resource_type' in body || 'type' in body || 'timestamp' in body || 'request_id' in body)
    t.match(body, { asset_id: /^[0-9a-f]{32}$/, secure_url: /\/image\/upload\/v\d+\/brown\.jpg$/ })
  }
  t.notOk('asset_id' in of2020(context))
})

test('summarizes all moderations', async (t) => {
  t.match(REVIEWS.moderation_summary.default(context), {
    public_id: 'brown',
    moderation: [{ kind: 'aws_rek' }, { kind: 'manual' }]
  })
})

test('contains the result of an add-on', async (t) => {
  t.match(REVIEWS.info.default(context), {
    public_id: 'brown',
    info_kind: 'google_speech',
    info_status: 'complete'
  })
})

test('contains reviewer and assets of a proof', async (t) => {
  t.match(REVIEWS.proof_status_changed.default({ ...context, count: 2 }), {
    new_status: 'approved',
    reviewer: { name: 'Sam Reviewer' },
    assets: [{ public_id: 'brown' }, { public_id: 'brown-2' }]
  })
})
