import { CloudEvent } from 'cloudevents'
import t from 'tap'
import { EVENT_TYPES } from '../../../app/ingest/event.ts'
import { toCloudEvent } from '../../../app/processors/cloud-event.ts'
import { sampleEvent } from '../../support/events.ts'

const upload = sampleEvent('upload', { publicId: 'shop/bag' })

t.test('describes an event', async (t) => {
  t.strictSame(toCloudEvent(upload), {
    specversion: '1.0',
    id: upload.id,
    source: 'https://api.cloudinary.com/v1_1/demo',
    type: 'com.cloudinary.upload',
    subject: 'image/upload/shop/bag',
    time: upload.occurredAt,
    datacontenttype: 'application/json',
    data: upload.payload
  })
  t.strictSame(toCloudEvent(upload, { sku: '7' }).data, { sku: '7' })
})

t.test('is valid for every type, by the official SDK', async (t) => {
  for (const type of EVENT_TYPES) {
    const event = toCloudEvent(sampleEvent(type))
    // the constructor validates strictly
    t.equal(new CloudEvent(event as never, true).id, event.id, type)
  }
})

t.test('keeps the name of an unknown type if it is one', async (t) => {
  const unknown = sampleEvent('unknown')
  const type = (notificationType: string | null) => toCloudEvent({ ...unknown, notificationType }).type
  t.equal(type('asset_admired'), 'com.cloudinary.asset_admired')
  for (const name of [null, '', 'Asset Admired', 'a/b']) t.equal(type(name), 'com.cloudinary.unknown')
})

t.test('names the subject as well as it is stated', async (t) => {
  const subject = (asset: object | null) => toCloudEvent({ ...upload, asset }).subject
  t.equal(subject({ publicId: 'bag', assetId: 'a' }), 'bag')
  t.equal(subject({ assetId: 'a' }), 'a')
  t.equal(subject(null), undefined)
})
