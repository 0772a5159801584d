import { test } from 'tap'
import { NOTIFICATION_TYPES } from '../../../app/ingest/event.ts'
import { SAMPLE_NAMES, sampleNotification, TYPES_OF_MANY } from '../../../app/testing/samples.ts'

const now = new Date('2026-02-03T04:05:06.789Z')

test('has a sample of every notification type', async (t) => {
  t.same(SAMPLE_NAMES.map(({ type }) => type).toSorted(), [...NOTIFICATION_TYPES, 'unknown'].toSorted())
  t.throws(() => sampleNotification('scheduled_search'), { code: 'SAMPLE_UNKNOWN' })
  for (const type of NOTIFICATION_TYPES) {
    t.equal(sampleNotification(type).notification_type, type)
  }
  t.notOk(NOTIFICATION_TYPES.some((type) => type === sampleNotification('unknown').notification_type))
})

test('builds every variant as JSON that begins with its type', async (t) => {
  for (const { type, variants } of SAMPLE_NAMES) {
    for (const variant of variants) {
      const body = sampleNotification(type, { variant, now })
      t.equal(Object.keys(body)[0], 'notification_type', `${type}, ${variant}`)
      t.strictSame(JSON.parse(JSON.stringify(body)), body, `${type}, ${variant}`)
    }
  }
})

test('lists the default variant first', async (t) => {
  for (const { type, variants } of SAMPLE_NAMES) {
    t.strictSame(sampleNotification(type, { now }), sampleNotification(type, { now, variant: variants[0] }))
  }
})

test('returns the same body for the same options', async (t) => {
  for (const { type } of SAMPLE_NAMES) {
    t.equal(
      JSON.stringify(sampleNotification(type, { now })),
      JSON.stringify(sampleNotification(type, { now }))
    )
  }
})

test('is made by a colleague and signed by the listener by default', async (t) => {
  t.match(sampleNotification('resource_tags_changed', { now }), {
    notification_context: {
      triggered_at: '2026-02-03T04:05:06.789000Z',
      triggered_by: { source: 'api', id: '222222222222222' }
    },
    signature_key: '111111111111111'
  })
})

test('takes keys and source', async (t) => {
  const given = sampleNotification('delete', { apiKey: '333', signatureKey: '444' })
  t.match(given, { notification_context: { triggered_by: { id: '333' } }, signature_key: '444' })
  const byPerson = sampleNotification('move', { apiKey: '333', source: 'ui' })
  t.match(byPerson, {
    source: 'ui',
    notification_context: { triggered_by: { source: 'ui', id: /^[0-9a-f]{30}$/ } }
  })
})

test('omits author and signing key in old notifications', async (t) => {
  const { notification_context: _, signature_key: __, ...rest } = sampleNotification('rename', { now })
  t.strictSame(sampleNotification('rename', { now, variant: 'old' }), rest)
})

test('contains the given number of assets', async (t) => {
  for (const type of TYPES_OF_MANY) {
    const { resources, assets } = sampleNotification(type, { count: 1000 })
    t.equal(Object.keys((resources ?? assets) as object).length, 1000, type)
  }
})

test('rejects an invalid number of assets', async (t) => {
  for (const count of [0, 1001, 1.5, Number.NaN]) {
    t.throws(() => sampleNotification('delete', { count }), { code: 'SAMPLE_COUNT' })
  }
  t.throws(() => sampleNotification('upload', { count: 2 }), { code: 'SAMPLE_COUNT', message: /upload/ })
})

test('rejects unknown types and variants, listing known ones', async (t) => {
  t.throws(() => sampleNotification('toString' as 'upload'), { code: 'SAMPLE_UNKNOWN' })
  t.throws(() => sampleNotification('move', { variant: 'toString' }), {
    code: 'SAMPLE_UNKNOWN',
    message: /asset-folders, folders, old/
  })
})
