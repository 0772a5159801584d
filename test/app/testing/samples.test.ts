import { test } from 'tap'
import { EVENT_TYPES, NOTIFICATION_TYPES } from '../../../app/ingest/event.ts'
import { SAMPLE_NAMES, sampleNotification, TYPES_OF_MANY } from '../../../app/testing/samples.ts'

const now = new Date('2026-02-03T04:05:06.789Z')

test('there is a sample of every notification type, and of one that nobody knows', async (t) => {
  t.same(SAMPLE_NAMES.map(({ type }) => type).toSorted(), [...EVENT_TYPES].toSorted())
  for (const type of NOTIFICATION_TYPES) {
    t.equal(sampleNotification(type).notification_type, type)
  }
  t.notOk(NOTIFICATION_TYPES.some((type) => type === sampleNotification('unknown').notification_type))
})

test('every variant can be made, begins with its type and is JSON as it is', async (t) => {
  for (const { type, variants } of SAMPLE_NAMES) {
    for (const variant of variants) {
      const body = sampleNotification(type, { variant, now })
      t.equal(Object.keys(body)[0], 'notification_type', `${type}, ${variant}`)
      t.strictSame(JSON.parse(JSON.stringify(body)), body, `${type}, ${variant}`)
    }
  }
})

test('the first variant that is listed is the default one', async (t) => {
  for (const { type, variants } of SAMPLE_NAMES) {
    t.strictSame(sampleNotification(type, { now }), sampleNotification(type, { now, variant: variants[0] }))
  }
})

test('the same options give the same body', async (t) => {
  for (const { type } of SAMPLE_NAMES) {
    t.equal(
      JSON.stringify(sampleNotification(type, { now })),
      JSON.stringify(sampleNotification(type, { now }))
    )
  }
})

test('a colleague made the change, and the key of the listener signs it', async (t) => {
  t.match(sampleNotification('resource_tags_changed', { now }), {
    notification_context: {
      triggered_at: '2026-02-03T04:05:06.789000Z',
      triggered_by: { source: 'api', id: '222222222222222' }
    },
    signature_key: '111111111111111'
  })
})

test('the keys and the source can be given', async (t) => {
  const given = sampleNotification('delete', { apiKey: '333', signatureKey: '444' })
  t.match(given, { notification_context: { triggered_by: { id: '333' } }, signature_key: '444' })
  const byPerson = sampleNotification('move', { apiKey: '333', source: 'ui' })
  t.match(byPerson, {
    source: 'ui',
    notification_context: { triggered_by: { source: 'ui', id: /^[0-9a-f]{30}$/ } }
  })
})

test('an old notification does not say who made it, nor which key signs it', async (t) => {
  const { notification_context: _, signature_key: __, ...rest } = sampleNotification('rename', { now })
  t.strictSame(sampleNotification('rename', { now, variant: 'old' }), rest)
})

test('a type of many carries as many assets as are asked for', async (t) => {
  for (const type of TYPES_OF_MANY) {
    const { resources, assets } = sampleNotification(type, { count: 1000 })
    t.equal(Object.keys((resources ?? assets) as object).length, 1000, type)
  }
})

test('a number of assets that such a notification cannot carry is refused', async (t) => {
  for (const count of [0, 1001, 1.5, Number.NaN]) {
    t.throws(() => sampleNotification('delete', { count }), { code: 'SAMPLE_COUNT' })
  }
  t.throws(() => sampleNotification('upload', { count: 2 }), { code: 'SAMPLE_COUNT', message: /upload/ })
})

test('a type or a variant there is no sample of is refused, with those there are', async (t) => {
  t.throws(() => sampleNotification('toString' as 'upload'), { code: 'SAMPLE_UNKNOWN' })
  t.throws(() => sampleNotification('move', { variant: 'toString' }), {
    code: 'SAMPLE_UNKNOWN',
    message: /asset-folders, folders, old/
  })
})
