import t from 'tap'
import { decodeMessage, encodeMessage } from '../../../app/queue/message-codec.ts'
import { scheduledEvent } from '../../../app/schedules/scheduled-event.ts'
import { sampleEvent } from '../../support/events.ts'

const upload = sampleEvent('upload')
const asset = {
  asset_id: upload.asset!.assetId!,
  public_id: 'bag',
  resource_type: 'image',
  type: 'upload',
  version: 7,
  created_at: '2026-06-01T12:00:00+00:00',
  tags: ['old'],
  context: { alt: 'A bag' }
}
const search = {
  environment: 'demo',
  schedule: 'unused',
  slot: '2026-06-01T03:00:00.000Z',
  receivedAt: '2026-06-01T03:00:05.000Z'
}

t.test('describes the asset that was found', async (t) => {
  const event = scheduledEvent(asset, { ...search, traceId: 'Schedule=unused' })
  const { id, group, ...rest } = event
  t.strictSame(rest, {
    type: 'scheduled_search',
    notificationType: null,
    environment: 'demo',
    asset: {
      assetId: asset.asset_id,
      publicId: 'bag',
      resourceType: 'image',
      deliveryType: 'upload',
      version: 7
    },
    occurredAt: search.slot,
    receivedAt: search.receivedAt,
    origin: { source: null, id: null, own: false },
    traceId: 'Schedule=unused',
    payload: {
      ...asset,
      context: { custom: { alt: 'A bag' } },
      schedule: 'unused',
      scheduled_at: search.slot
    }
  })
  t.match(id, /^[0-9a-f]{32}$/)
  t.equal(group, upload.group, 'in order with notifications of the asset')
  t.strictSame(decodeMessage(encodeMessage(event)), event)
})

t.test('leaves out what the search does not state', async (t) => {
  const { version: _, context: __, ...bare } = asset
  const event = scheduledEvent(bare, search)
  t.notOk('version' in event.asset! || 'context' in event.payload || 'traceId' in event)
})

t.test('has one id for each environment, schedule, slot and asset', async (t) => {
  const id = (changes: object = {}, assetId = 'a') =>
    scheduledEvent({ ...asset, asset_id: assetId }, { ...search, ...changes }).id
  t.equal(id({ receivedAt: '2026-06-02T03:00:00.000Z' }), id())
  const others = [
    id(),
    id({ environment: 'other' }),
    id({ schedule: 'other' }),
    id({ slot: '2026-06-02T03:00:00.000Z' }),
    id({}, 'b')
  ]
  t.equal(new Set(others).size, others.length)
})
