import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Asset, AssetEvent, EventType } from '../../../app/ingest/event.ts'
import { uploadEventIds } from '../../../app/ingest/event-identity.ts'
import { type NotificationContext, toEvents } from '../../../app/ingest/notification.ts'
import { decodeMessage, encodeMessage } from '../../../app/queue/message-codec.ts'
import { SAMPLE_NAMES, sampleNotification, TYPES_OF_MANY } from '../../../app/testing/samples.ts'
import { anyCharacter } from '../../support/any-character.ts'

const NOW = new Date('2026-06-01T12:00:00.789Z')
const VERSION = Math.floor(NOW.getTime() / 1000)
const SIGNED_AT = VERSION + 5
const SIGNED_AT_ISO = '2026-06-01T12:00:05.000Z'
const OWN_KEY = '111111111111111'
const ASSET_ID = 'a'.repeat(32)
const PUBLIC_ID = 'samples/leather-bag'

const context: NotificationContext = {
  environment: 'demo',
  isOwnKey: (apiKey) => apiKey === OWN_KEY,
  receivedAt: new Date('2026-06-01T12:00:07.000Z'),
  signedAt: SIGNED_AT
}

/** Returns the events of a body: text, bytes, or a value to write as JSON. */
function eventsOf(body: unknown, overrides: Partial<NotificationContext> = {}): AssetEvent[] {
  const bytes =
    body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return toEvents(bytes, { ...context, ...overrides })
}

/** Returns the event of a body with one asset. */
function eventOf(body: unknown, overrides: Partial<NotificationContext> = {}): AssetEvent {
  const [event, ...more] = eventsOf(body, overrides)
  if (!event || more.length > 0) throw new Error(`there are ${more.length + (event ? 1 : 0)} events`)
  return event
}

const sample = (type: EventType, options: Parameters<typeof sampleNotification>[1] = {}) =>
  sampleNotification(type, { now: NOW, assetId: ASSET_ID, publicId: PUBLIC_ID, ...options })

const ids = (events: AssetEvent[]) => events.map(({ id }) => id)
const distinct = (values: readonly unknown[]) => new Set(values).size

const named = { assetId: ASSET_ID, publicId: PUBLIC_ID }
const full = { ...named, resourceType: 'image', deliveryType: 'upload' }

/** The expected asset of each type. */
const ASSETS: Record<Exclude<EventType, 'scheduled_search'>, Asset | null> = {
  upload: { ...full, version: VERSION },
  restore_asset_version: { ...full, version: VERSION },
  generate_archive: { ...full, resourceType: 'raw', version: VERSION },
  moderation: { ...full, version: VERSION },
  moderation_summary: { ...full, version: VERSION },
  info: { ...full, version: VERSION },
  delete: { ...full, version: VERSION },
  delete_by_token: { ...full, version: VERSION },
  publish: { ...full, version: VERSION },
  rename: { ...full, publicId: `${PUBLIC_ID}-renamed` },
  move: full,
  access_control_changed: full,
  proof_status_changed: full,
  resource_context_changed: full,
  resource_display_name_changed: full,
  resource_metadata_changed: full,
  resource_tags_changed: full,
  eager: full,
  explode: full,
  multi: { ...full, deliveryType: 'multi', version: VERSION },
  sprite: { ...named, version: VERSION },
  unknown: named,
  related_assets: { assetId: ASSET_ID },
  error: { publicId: PUBLIC_ID },
  create_folder: null,
  delete_folder: null,
  move_or_rename_asset_folder: null,
  report: null,
  bulk_refresh_auto_fetch: null,
  invalidate_custom_cdn: null
}

/** Differences of the variants. Undefined: the field is missing. */
const VARIANTS: Record<string, { [Name in keyof Asset]?: Asset[Name] | undefined }> = {
  'eager video': { resourceType: 'video' },
  'eager hls': { resourceType: 'video' },
  'eager failed': { resourceType: undefined, deliveryType: undefined },
  'moderation without-asset-id': { assetId: undefined },
  'rename without-kind': { resourceType: undefined, deliveryType: undefined },
  'delete without-kind': { resourceType: undefined, deliveryType: undefined },
  'delete by-public-id': { assetId: undefined, resourceType: undefined, deliveryType: undefined },
  'upload video': { resourceType: 'video' },
  'upload raw': { resourceType: 'raw' },
  'upload existing': { version: VERSION - 86_400 }
}

for (const { type, variants } of SAMPLE_NAMES) {
  t.test(`converts every shape of ${type} to an event of its type and asset`, async (t) => {
    for (const variant of variants) {
      const body = sample(type, { variant })
      const event = eventOf(body)
      t.match(event, { type, notificationType: body.notification_type, environment: 'demo' }, variant)
      t.match(event.id, /^[0-9a-f]{32}$/, variant)
      t.match(event.group, /^[0-9a-f]{32}$/, variant)
      t.equal(event.receivedAt, '2026-06-01T12:00:07.000Z', variant)
      t.notOk('traceId' in event, variant)
      const asset = ASSETS[type]
      const expected = asset && JSON.parse(JSON.stringify({ ...asset, ...VARIANTS[`${type} ${variant}`] }))
      t.strictSame(event.asset, expected, variant)
      t.strictSame(decodeMessage(encodeMessage(event)), event, variant)
    }
  })
}

t.test('splits a notification with N assets into N events with distinct ids and groups', async (t) => {
  for (const type of TYPES_OF_MANY) {
    for (const variant of SAMPLE_NAMES.find((each) => each.type === type)?.variants ?? []) {
      const events = eventsOf(sample(type, { variant, count: 1000 }))
      t.equal(events.length, 1000, `${type}, ${variant}`)
      t.equal(distinct(ids(events)), 1000, `${type}, ${variant}`)
      t.equal(distinct(events.map(({ group }) => group)), 1000, `${type}, ${variant}`)
      t.equal(distinct(events.map(({ asset }) => asset?.publicId)), 1000, `${type}, ${variant}`)
      t.match(
        events.map(({ asset }) => asset?.publicId),
        [PUBLIC_ID, `${PUBLIC_ID}-2`, `${PUBLIC_ID}-3`],
        `${type}, ${variant}`
      )
    }
  }
})

t.test('the payload has the shared fields and those of its own asset only', async (t) => {
  const [first, second] = eventsOf({
    notification_type: 'resource_tags_changed',
    source: 'ui',
    resources: [
      { asset_id: '1', added: ['a'] },
      { asset_id: '2', added: ['b'] }
    ]
  })
  const shared = { notification_type: 'resource_tags_changed', source: 'ui' }
  t.strictSame(first?.payload, { ...shared, asset_id: '1', added: ['a'] })
  t.strictSame(second?.payload, { ...shared, asset_id: '2', added: ['b'] })
})

t.test('uses the key of a map as the public id, unless the entry has one', async (t) => {
  const [first, second, third] = eventsOf({
    notification_type: 'move',
    resources: {
      'folder/one': { asset_id: '1' },
      key: { asset_id: '2', public_id: 'own' },
      empty: null
    }
  })
  t.strictSame(first?.asset, { assetId: '1', publicId: 'folder/one' })
  t.strictSame(first?.payload, { notification_type: 'move', public_id: 'folder/one', asset_id: '1' })
  t.strictSame(second?.asset, { assetId: '2', publicId: 'own' })
  t.strictSame(third?.payload, { notification_type: 'move', public_id: 'empty', resource: null })
})

t.test('splits a list of non-objects without losing data', async (t) => {
  const events = eventsOf({ notification_type: 'delete', resources: ['one', 2, null, ['three']] })
  t.strictSame(
    events.map(({ payload }) => payload.resource),
    ['one', 2, null, ['three']]
  )
  t.equal(distinct(ids(events)), 4)
})

t.test('does not split a missing or empty collection', async (t) => {
  for (const resources of [[], {}, null, 'none', 0]) {
    const body = { notification_type: 'delete', resources }
    t.strictSame(eventOf(body).payload, body)
  }
})

t.test('splits an unknown type by its shape', async (t) => {
  const events = eventsOf({
    notification_type: 'asset_admired',
    resources: [{ asset_id: '1' }, { asset_id: '2' }]
  })
  t.match(events, [
    { type: 'unknown', notificationType: 'asset_admired', asset: { assetId: '1' } },
    { type: 'unknown', notificationType: 'asset_admired', asset: { assetId: '2' } }
  ])
})

t.test('a missing or invalid type becomes unknown', async (t) => {
  for (const body of [
    {},
    { notification_type: null },
    { notification_type: 1 },
    { notification_type: ['upload'] }
  ]) {
    t.match(eventOf(body), { type: 'unknown', notificationType: null, asset: null, payload: body })
  }
  t.match(eventOf({ notification_type: 'scheduled_search' }), { type: 'unknown' }, 'a type of our own')
  t.match(eventOf({ notification_type: 'unknown' }), { type: 'unknown', notificationType: 'unknown' })
  t.match(eventOf({ notification_type: 'constructor' }), { type: 'unknown', notificationType: 'constructor' })
})

t.test('keeps a body that is not a JSON object', async (t) => {
  for (const body of ['', 'Hello, world', '{"cut":', '[1,2]', '"text"', 'null', '12', 'true']) {
    t.match(eventOf(body), { type: 'unknown', notificationType: null, asset: null })
    t.strictSame(eventOf(body).payload, { body, encoding: 'utf8' })
  }
  t.strictSame(eventOf(Buffer.from([0xff, 0x00, 0xfe])).payload, { body: '/wD+', encoding: 'base64' })
})

const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`

t.test('parses up to 64 levels, and keeps deeper bodies as text', async (t) => {
  t.strictSame(eventOf(nested(64)).payload, JSON.parse(nested(64)))
  t.strictSame(eventOf(nested(65)).payload, { body: nested(65), encoding: 'utf8' })
  const lists = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  t.strictSame(eventOf(lists).payload, { body: lists, encoding: 'utf8' })
  t.ok(encodeMessage(eventOf(lists)))
})

t.test('ignores an invalid version', async (t) => {
  const versions = [
    '{"toString":1,"valueOf":2}',
    '{}',
    '[]',
    '[[5]]',
    'true',
    'null',
    '""',
    '"v1"',
    '1e400',
    '1.5'
  ]
  for (const version of versions) {
    const body = `{"notification_type":"upload","asset_id":"${ASSET_ID}","version":${version}}`
    t.strictSame(eventOf(body).asset, { assetId: ASSET_ID }, version)
    t.not(eventOf(body).id, eventOf(`${body} `).id, `${version} names no upload`)
  }
})

t.test('derives the id of an upload from asset, version and etag only', async (t) => {
  const body = sample('upload')
  const upload = eventOf(body)
  const named = { assetId: ASSET_ID, version: VERSION, etag: String(body.etag) }
  const [withEtag, without] = uploadEventIds('demo', named)
  t.equal(upload.id, withEtag)
  const resent = { ...body, request_id: 'another', timestamp: '2026-06-01T12:30:00+00:00' }
  t.equal(eventOf(resent).id, upload.id, 'sent again by Cloudinary')
  t.equal(eventOf({ ...body, version: String(VERSION) }).id, upload.id, 'a version as text')
  t.equal(eventOf(sample('upload', { variant: 'old' })).id, upload.id)
  const { version_id, ...unversioned } = body
  t.equal(eventOf(unversioned).id, upload.id, 'a version id is not always there, and a search has none')
  const { etag, ...untagged } = body
  t.equal(eventOf(untagged).id, without)
})

t.test('another version, etag, asset or environment gives another id', async (t) => {
  const body = sample('upload')
  const others = [
    eventOf(body),
    eventOf({ ...body, version: VERSION + 1 }),
    eventOf({ ...body, version_id: 'b'.repeat(32), etag: 'b'.repeat(32) }),
    eventOf({ ...body, asset_id: 'b'.repeat(32) }),
    eventOf(body, { environment: 'other' }),
    eventOf({ ...body, notification_type: 'restore_asset_version' })
  ]
  t.equal(distinct(ids(others)), others.length)
})

t.test('derives the id of an upload without asset id or version from its body', async (t) => {
  for (const missing of ['asset_id', 'version'] as const) {
    const { [missing]: _, ...body } = sample('upload')
    t.equal(eventOf(body).id, eventOf(body).id)
    t.not(eventOf(body).id, eventOf({ ...body, request_id: 'another' }).id, missing)
  }
})

t.test('sets `signedAt` only if two changes can have the same body', async (t) => {
  const { notification_context, ...bare } = sample('resource_tags_changed')
  t.equal(eventOf(bare).signedAt, SIGNED_AT_ISO)
  t.equal(eventOf(bare, { signedAt: SIGNED_AT + 60 }).signedAt, '2026-06-01T12:01:05.000Z')
  for (const unique of [
    { notification_context },
    { timestamp: '2026-06-01T12:00:00+00:00' },
    { timestamp: VERSION },
    { request_id: 'r1' }
  ]) {
    t.notOk('signedAt' in eventOf({ ...bare, ...unique }), JSON.stringify(unique))
  }
  for (const useless of [
    { notification_context: { triggered_at: 'never' } },
    { notification_context: null },
    { timestamp: '' },
    { timestamp: 'yesterday' },
    { request_id: '' },
    { request_id: null },
    { created_at: '2026-06-01T12:00:00Z', version: VERSION }
  ]) {
    t.equal(eventOf({ ...bare, ...useless }).signedAt, SIGNED_AT_ISO, JSON.stringify(useless))
  }
})

t.test('sets `signedAt` for old notifications without a time, except uploads', async (t) => {
  const timeless = SAMPLE_NAMES.filter(({ type }) => 'signedAt' in eventOf(sample(type, { variant: 'old' })))
  const types = timeless.map(({ type }) => type)
  for (const type of [
    'delete',
    'create_folder',
    'resource_tags_changed',
    'move',
    'moderation',
    'info'
  ] as const)
    t.ok(types.includes(type), type)
  for (const type of ['upload', 'rename', 'eager'] as const) t.notOk(types.includes(type), type)
  t.notOk(
    SAMPLE_NAMES.some(({ type }) => 'signedAt' in eventOf(sample(type))),
    'nor any of today'
  )
  const { asset_id, timestamp, request_id, ...upload } = sample('upload', { variant: 'old' })
  t.notOk('signedAt' in eventOf(upload), 'the version of an upload is its time')
  const { asset_id: _, ...named } = { ...upload, asset_id: ASSET_ID, version: 'x' }
  t.equal(eventOf(named).signedAt, SIGNED_AT_ISO)
  t.equal(eventOf('no JSON').signedAt, SIGNED_AT_ISO)
})

t.test('reads a missing kind from the delivery URL', async (t) => {
  const moderation = {
    notification_type: 'moderation',
    moderation_status: 'rejected',
    moderation_kind: 'google_video_moderation',
    public_id: 'ugc/clip',
    version: 1584658428,
    secure_url: 'https://res.cloudinary.com/c/video/upload/v1584658428/ugc/clip.mp4'
  }
  const video = { publicId: 'ugc/clip', resourceType: 'video', deliveryType: 'upload', version: 1584658428 }
  t.strictSame(eventOf(moderation).asset, video)
  const { secure_url: url, ...nameless } = moderation
  const nothing = { publicId: 'ugc/clip', version: 1584658428 }
  t.strictSame(eventOf({ ...nameless, url }).asset, video)
  t.strictSame(eventOf({ ...nameless, eager: [null, { status: 'failed' }, { url }] }).asset, video)
  t.strictSame(eventOf({ ...nameless, image_infos: [{ secure_url: url }] }).asset, video)
  t.strictSame(eventOf({ ...nameless, type: 'upload', url }).asset, video)
  t.strictSame(eventOf(nameless).asset, nothing, 'it is not guessed')
  t.strictSame(eventOf({ ...nameless, image_infos: { url } }).asset, nothing)
  t.strictSame(eventOf({ ...nameless, eager: Array(10).fill({}).concat({ url }) }).asset, nothing)
  t.strictSame(eventOf({ ...moderation, public_id: 'other' }).asset, { ...nothing, publicId: 'other' })
  const { public_id, ...byId } = { ...moderation, asset_id: ASSET_ID }
  t.strictSame(eventOf(byId).asset, { assetId: ASSET_ID, version: 1584658428 })
})

t.test('prefers the kind in the fields to the delivery URL', async (t) => {
  const secure_url = 'https://res.cloudinary.com/c/video/upload/v1/clip.mp4'
  const body = { notification_type: 'info', public_id: 'clip', secure_url }
  const stated = { resource_type: 'image', type: 'private' }
  t.match(eventOf({ ...body, ...stated }).asset, { resourceType: 'image', deliveryType: 'private' })
  t.strictSame(eventOf({ ...body, resource_type: 'image' }).asset, {
    publicId: 'clip',
    resourceType: 'image'
  })
  t.strictSame(eventOf({ ...body, type: 'private' }).asset, { publicId: 'clip', deliveryType: 'private' })
})

t.test('gives several uploads in one body distinct ids', async (t) => {
  const { asset_id, version, ...shared } = sample('upload')
  const twice = eventsOf({
    ...shared,
    resources: [
      { asset_id, version },
      { asset_id, version }
    ]
  })
  t.equal(distinct(ids(twice)), 2)
})

t.test('derives other ids from the body', async (t) => {
  const body = sample('resource_tags_changed', { count: 2 })
  t.strictSame(ids(eventsOf(body)), ids(eventsOf(body)))
  const all = [
    ...ids(eventsOf(body)),
    ...ids(eventsOf(sample('resource_tags_changed', { count: 2, now: new Date(NOW.getTime() + 1) }))),
    ...ids(eventsOf(body, { environment: 'other' }))
  ]
  t.equal(distinct(all), 6)
})

t.test('headers and clock do not change id and group', async (t) => {
  for (const { type } of SAMPLE_NAMES) {
    const first = eventOf(sample(type))
    const again = eventOf(sample(type), {
      receivedAt: new Date('2026-06-01T12:09:00Z'),
      signedAt: SIGNED_AT + 540,
      traceId: 'Root=1-67891233-abcdef012345678912345678',
      isOwnKey: () => true
    })
    t.equal(again.id, first.id, type)
    t.equal(again.group, first.group, type)
  }
})

t.test('keeps the trace id of the request', async (t) => {
  t.equal(eventOf({}, { traceId: 'Root=1-2-3' }).traceId, 'Root=1-2-3')
})

t.test('all events of an asset share a group', async (t) => {
  const groups = SAMPLE_NAMES.flatMap(({ type, variants }) =>
    variants
      .map((variant) => eventOf(sample(type, { variant })))
      .filter(({ asset }) => asset?.assetId)
      .map(({ group }) => group)
  )
  t.ok(groups.length > 40)
  t.equal(distinct(groups), 1)
})

t.test('assets, public ids and environments have separate groups', async (t) => {
  const groups = [
    eventOf({ asset_id: 'a' }),
    eventOf({ asset_id: 'b' }),
    eventOf({ public_id: 'a' }),
    eventOf({ public_id: 'b' }),
    eventOf({ folder_path: 'a' }),
    eventOf({ public_id: 'asset a' }),
    eventOf({ asset_id: 'public id a' }),
    eventOf({ public_id: 'folders' }),
    eventOf({ asset_id: 'folders' }),
    eventOf({ asset_id: 'a' }, { environment: 'other' })
  ].map(({ group }) => group)
  t.equal(distinct(groups), groups.length)
})

t.test('groups an asset without an asset id by its public id', async (t) => {
  const { group } = eventOf(sample('error'))
  t.equal(eventOf({ notification_type: 'eager', public_id: PUBLIC_ID }).group, group)
})

t.test('all folder events share a group', async (t) => {
  const folders: EventType[] = ['create_folder', 'delete_folder', 'move_or_rename_asset_folder']
  const groups = folders.flatMap((type) => [
    eventOf(sample(type)).group,
    eventOf(sample(type, { publicId: 'elsewhere/bag' })).group
  ])
  t.equal(distinct(groups), 1)
})

t.test('events without asset and folder have separate groups', async (t) => {
  t.not(eventOf(sample('report')).group, eventOf(sample('invalidate_custom_cdn')).group)
})

t.test('a rename uses the new name and type', async (t) => {
  const body = { notification_type: 'rename', from_public_id: 'old', to_public_id: 'new' }
  t.strictSame(eventOf(body).asset, { publicId: 'new' })
  const retyped = { ...body, type: 'upload', to_type: 'private' }
  t.strictSame(eventOf(retyped).asset, { publicId: 'new', deliveryType: 'private' })
})

t.test('reads numeric names as text, and drops empty and other values', async (t) => {
  t.strictSame(
    eventOf({ asset_id: 7, public_id: 12.5, resource_type: '', type: null, version: '12' }).asset,
    {
      assetId: '7',
      publicId: '12.5',
      version: 12
    }
  )
  t.equal(eventOf({ asset_id: '', public_id: {}, to_public_id: [] }).asset, null)
})

t.test("marks a change made with the listener's own key", async (t) => {
  t.strictSame(eventOf(sample('upload', { apiKey: OWN_KEY })).origin, {
    source: 'api',
    id: OWN_KEY,
    own: true
  })
  t.match(eventOf(sample('upload')).origin, { source: 'api', id: '222222222222222', own: false })
  t.match(eventOf(sample('upload', { source: 'ui' })).origin, {
    source: 'ui',
    id: /^[0-9a-f]{30}$/,
    own: false
  })
})

t.test('accepts a missing or invalid origin', async (t) => {
  const nobody = { source: null, id: null, own: false }
  t.strictSame(eventOf(sample('upload', { variant: 'old', apiKey: OWN_KEY })).origin, nobody)
  const by = (triggered_by: unknown) =>
    eventOf({ notification_context: { triggered_by } }, { isOwnKey: () => true }).origin
  for (const nonsense of [
    undefined,
    null,
    'api',
    5,
    [],
    {},
    { source: {}, id: null },
    { source: '', id: '' }
  ]) {
    t.strictSame(by(nonsense), nobody)
  }
  t.strictSame(eventOf({ notification_context: 'api' }).origin, nobody)
  t.strictSame(by({ id: 123 }), { source: null, id: '123', own: true }, 'a key that is a number')
})

const at = (fields: Record<string, unknown>) => eventOf(fields).occurredAt
const triggered = (triggered_at: unknown) => at({ notification_context: { triggered_at } })

t.test('limits a time in the future to five minutes after receipt', async (t) => {
  const event = eventOf({ timestamp: '2200-01-01T00:00:00Z' })
  t.equal(Date.parse(event.occurredAt) - Date.parse(event.receivedAt), 300_000)
})

t.test('uses the time at which the change was triggered', async (t) => {
  const iso = '2026-06-01T12:00:00.789Z'
  t.equal(triggered(1_780_315_200_789_123), iso, 'microseconds')
  t.equal(triggered('1780315200789123'), iso, 'microseconds as text')
  t.equal(triggered(1_780_315_200_789), iso, 'milliseconds')
  t.equal(triggered(1_780_315_200.789), iso, 'seconds')
  t.equal(triggered('2026-06-01T12:00:00.789123Z'), iso, 'ISO 8601 with microseconds')
  t.equal(triggered('2026-06-01T14:00:00.789+02:00'), iso, 'ISO 8601 of another zone')
  t.equal(at(sample('upload')), iso, 'before the timestamp, which has no fractions')
})

t.test('falls back to the timestamp', async (t) => {
  t.equal(at({ timestamp: '2026-06-01T12:00:00+00:00' }), '2026-06-01T12:00:00.000Z')
  t.equal(at({ timestamp: 1_780_315_200 }), '2026-06-01T12:00:00.000Z')
  t.equal(at({ timestamp: '1780315200' }), '2026-06-01T12:00:00.000Z')
})

t.test('falls back to the version of an upload', async (t) => {
  const body = { notification_type: 'upload', asset_id: 'a', version: 1_780_315_201 }
  t.equal(at(body), '2026-06-01T12:00:01.000Z')
  t.equal(at({ ...body, version: '1780315201' }), '2026-06-01T12:00:01.000Z')
  t.equal(at({ ...body, version: 5 }), SIGNED_AT_ISO, 'a version that is no time')
  t.equal(at({ ...body, notification_type: 'delete' }), SIGNED_AT_ISO, 'a deletion is later than the upload')
})

t.test('falls back to the time of the signature', async (t) => {
  t.equal(at({}), SIGNED_AT_ISO)
  t.equal(at(sample('delete', { variant: 'old' })), SIGNED_AT_ISO)
  t.equal(eventOf('not JSON').occurredAt, SIGNED_AT_ISO)
})

t.test('ignores an invalid time', async (t) => {
  const nonsense = [
    null,
    '',
    ' ',
    'soon',
    0,
    -1,
    1,
    999_999_999,
    10_000_000_000,
    1e18,
    1e300,
    '1e999',
    '-Infinity',
    'NaN',
    true,
    [],
    {},
    '0000-00-00T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '1999-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z'
  ]
  for (const value of nonsense) {
    t.equal(triggered(value), SIGNED_AT_ISO, JSON.stringify(value))
    t.equal(at({ timestamp: value }), SIGNED_AT_ISO, JSON.stringify(value))
    t.equal(
      at({ notification_context: { triggered_at: value }, timestamp: 1_780_315_200 }),
      '2026-06-01T12:00:00.000Z',
      JSON.stringify(value)
    )
  }
})

const oddKeys = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  'valueOf',
  'toJSON',
  'then',
  'length',
  'notification_type',
  'notification_context',
  'triggered_by',
  'triggered_at',
  'resources',
  'assets',
  'asset_id',
  'public_id',
  'to_public_id',
  'resource_type',
  'type',
  'version',
  'timestamp',
  'folder_path',
  'from_path',
  'id',
  'source',
  'own'
)
const oddText = fc.oneof(
  oddKeys,
  fc.constantFrom('upload', 'delete', 'rename', 'move', 'eager'),
  fc.string({ unit: anyCharacter }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) })
)
/** Generates JSON of any shape, with the listener's field names in wrong places. */
const { anyJson } = fc.letrec<{ anyJson: string; list: string; object: string; leaf: string }>((tie) => ({
  anyJson: fc.oneof({ depthSize: 'medium', withCrossShrink: true }, tie('leaf'), tie('list'), tie('object')),
  leaf: fc.oneof(
    oddText.map((text) => JSON.stringify(text)),
    fc.maxSafeInteger().map(String),
    fc.constantFrom(
      'null',
      'true',
      'false',
      '1e400',
      '-1e400',
      '-0',
      '1780315200',
      '1e-7',
      '12345678901234567890123'
    )
  ),
  list: fc.array(tie('anyJson'), { maxLength: 5 }).map((entries) => `[${entries.join()}]`),
  object: fc
    .array(
      fc.tuple(
        fc.oneof({ weight: 4, arbitrary: oddKeys }, { weight: 1, arbitrary: oddText }),
        tie('anyJson')
      ),
      {
        maxLength: 8
      }
    )
    .map((entries) => `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`)
}))
const anyBody = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 1, arbitrary: fc.string({ unit: anyCharacter }).map((text) => Buffer.from(text)) },
  { weight: 5, arbitrary: anyJson.map((text) => Buffer.from(text)) }
)

t.test('never throws, and every event can be encoded and decoded', async () => {
  fc.assert(
    fc.property(anyBody, (body) => {
      const events = eventsOf(body)
      assert.ok(events.length >= 1)
      assert.equal(distinct(ids(events)), events.length, 'with ids of their own')
      for (const event of events) {
        assert.match(event.id, /^[0-9a-f]{32}$/)
        assert.match(event.group, /^[0-9a-f]{32}$/)
        assert.equal(new Date(event.occurredAt).toISOString(), event.occurredAt)
        assert.equal(JSON.stringify(decodeMessage(encodeMessage(event))), JSON.stringify(event))
      }
      assert.deepEqual(ids(eventsOf(body)), ids(events), 'and the same ones every time')
    }),
    { numRuns: 1000 }
  )
})

t.test('keeps a key named __proto__ without changing a prototype', async (t) => {
  const text =
    '{"notification_type":"move","__proto__":{"asset_id":"evil"},"resources":{"__proto__":{"version":1}}}'
  const event = eventOf(text)
  t.strictSame(event.asset, { publicId: '__proto__', version: 1 })
  t.equal(
    JSON.stringify(event.payload),
    '{"notification_type":"move","__proto__":{"asset_id":"evil"},"public_id":"__proto__","version":1}'
  )
  t.equal(Object.getPrototypeOf(event.payload), Object.prototype)
  t.notOk('asset_id' in {})
})

t.test('splits N resources of any shape into N events with distinct ids', async () => {
  const entry = fc.oneof(
    fc.record({ asset_id: fc.constantFrom('a', 'b'), version: fc.constantFrom(1, 2) }, { requiredKeys: [] }),
    fc.jsonValue({ maxDepth: 2 })
  )
  const type = fc.constantFrom(...SAMPLE_NAMES.map((each) => each.type))
  fc.assert(
    fc.property(
      type,
      fc.array(entry, { minLength: 1 }),
      fc.boolean(),
      (notification_type, entries, shared) => {
        const about = { notification_type, ...(shared && { asset_id: 'a', version: 1 }) }
        const map = Object.fromEntries(entries.map((value, index) => [`id ${index}`, value]))
        for (const resources of [entries, map]) {
          assert.equal(distinct(ids(eventsOf({ ...about, resources }))), entries.length)
        }
      }
    )
  )
})

t.test('different bodies give different ids', async () => {
  fc.assert(
    fc.property(anyBody, anyBody, (one, other) => {
      fc.pre(Buffer.compare(one, other) !== 0)
      // two bodies with the same upload are the same event
      fc.pre([...eventsOf(one), ...eventsOf(other)].some(({ type }) => type !== 'upload'))
      const all = [
        ...ids(eventsOf(one)),
        ...ids(eventsOf(other)),
        ...ids(eventsOf(one, { environment: 'other' }))
      ]
      assert.equal(distinct(all), all.length)
    })
  )
})

t.test('any public id gives a valid message group', async () => {
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
  const messageGroup = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/
  fc.assert(
    fc.property(oddText, fc.string({ unit: anyCharacter, maxLength: 5 }), (public_id, environment) => {
      const { group, id } = eventOf({ notification_type: 'eager', public_id }, { environment })
      assert.match(group, messageGroup)
      assert.match(id, messageGroup)
    })
  )
})

t.test("does not split a list longer than Cloudinary's", async (t) => {
  const bodyOf = (count: number) => JSON.stringify({ resources: Array.from({ length: count }, () => 1) })
  const count = (body: string) => eventsOf(body).length
  t.equal(count(bodyOf(20_000)), 20_000)
  t.equal(count(bodyOf(20_001)), 1)
})

t.test('an event states the role that received it', async (t) => {
  t.equal(eventOf({ notification_type: 'upload' }, { source: 'poll' }).source, 'poll')
  t.notOk('source' in eventOf({ notification_type: 'upload' }))
})
