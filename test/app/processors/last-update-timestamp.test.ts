import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import type { IdentifiedAsset } from '../../../app/cloudinary/identified-asset.ts'
import type {
  AssetEvent,
  CloudinaryClient,
  EventType,
  ProcessorContext,
  State
} from '../../../app/listener.ts'
import { lastUpdateTimestamp } from '../../../app/processors/last-update-timestamp.ts'
import { memoryState } from '../../../app/testing/memory-state.ts'
import { HAPPENED_AT, sampleEvent } from '../../support/events.ts'

const FIELD = 'last_update_timestamp'
const STAMP = HAPPENED_AT.toISOString()
const EPOCH = String(Math.floor(HAPPENED_AT.getTime() / 1000))
const EARLIER = '2026-06-01T12:00:00.788Z'
const LATER = '2026-06-01T12:00:00.790Z'

type Options = Parameters<typeof lastUpdateTimestamp>[0]

/** Whether the processor handles an event. */
function wants(event: AssetEvent, options?: Options): boolean {
  const { on, when } = lastUpdateTimestamp(options)
  return on.includes(event.type) && (when?.(event) ?? true)
}

/** Runs the processor on an asset with this metadata, and returns its note and calls. */
async function run(
  event: AssetEvent,
  {
    options,
    metadata,
    state = memoryState().state,
    clock
  }: {
    options?: Options
    metadata?: Record<string, unknown> | undefined
    state?: State
    clock?: () => number
  } = {}
) {
  const calls: unknown[][] = []
  const cloudinary: Pick<CloudinaryClient, 'currentState' | 'identify' | 'updateMetadata'> = {
    identify: async (asset) => asset as IdentifiedAsset,
    currentState: async (asset) => {
      calls.push(['currentState', asset])
      return {
        asset_id: asset.assetId ?? 'a',
        public_id: 'bag',
        resource_type: 'image',
        type: 'upload',
        ...(metadata && { metadata })
      }
    },
    updateMetadata: async (...given) => void calls.push(['updateMetadata', ...given])
  }
  const context = { cloudinary, state, log: pino({ level: 'silent' }) } as Partial<ProcessorContext>
  const note = await lastUpdateTimestamp(options, clock).handle(event, context as ProcessorContext)
  return { note, calls, names: calls.map(([name]) => name) }
}

/** Returns the event of a metadata change. */
const metadataChange = (previous_metadata: unknown, new_metadata: unknown) => {
  const event = sampleEvent('resource_metadata_changed')
  return { ...event, payload: { ...event.payload, previous_metadata, new_metadata } }
}

const changed = metadataChange({ cms_id: '1' }, { cms_id: '2' })

t.test('handles changes of existing assets only', async (t) => {
  const changes: EventType[] = [
    'upload',
    'rename',
    'move',
    'moderation',
    'access_control_changed',
    'resource_tags_changed',
    'resource_context_changed',
    'resource_display_name_changed',
    'resource_metadata_changed',
    'restore_asset_version'
  ]
  for (const type of changes) t.ok(wants(sampleEvent(type)), type)
  const others: EventType[] = ['delete', 'eager', 'create_folder', 'report', 'unknown']
  for (const type of others) t.notOk(wants(sampleEvent(type)), type)
})

t.test('takes another name', async (t) => {
  t.equal(lastUpdateTimestamp().name, 'last-update-timestamp')
  t.equal(lastUpdateTimestamp({ name: 'stamp' }).name, 'stamp')
})

t.test('handles non-metadata changes regardless of watch', async (t) => {
  t.ok(wants(sampleEvent('upload'), { watch: ['cms_id'] }))
  t.ok(wants(sampleEvent('resource_tags_changed'), { watch: ['cms_id'] }))
})

t.test('skips changes of only the stamp', async (t) => {
  t.notOk(wants(sampleEvent('resource_metadata_changed', { variant: 'timestamp' })), 'first stamp')
  const before = { cms_id: '1', tags: ['a'] }
  t.notOk(wants(metadataChange({ ...before, [FIELD]: EARLIER }, { ...before, [FIELD]: STAMP })), 'all fields')
  t.notOk(wants(metadataChange({ ...before, [FIELD]: EARLIER }, { [FIELD]: STAMP })), 'only written fields')
  t.notOk(wants(metadataChange({ [FIELD]: EARLIER }, { [FIELD]: STAMP })))
  t.notOk(wants(metadataChange(before, { [FIELD]: STAMP })), 'only written fields, first stamp')
  t.notOk(wants(metadataChange({}, { [FIELD]: STAMP })))
  t.notOk(wants(metadataChange({ [FIELD]: STAMP }, {})), 'removed')
})

t.test('skips changes of only a renamed stamp field', async (t) => {
  t.notOk(wants(metadataChange({}, { touched: STAMP }), { field: 'touched' }))
  t.ok(wants(metadataChange({}, { other: STAMP }), { field: 'touched' }))
})

t.test('skips stamps of other instances in the listener', async (t) => {
  const [iso, epoch] = [{}, { field: 'touched_seconds', format: 'epoch' }] as const
  lastUpdateTimestamp(iso)
  t.notOk(wants(metadataChange({}, { [FIELD]: STAMP }), epoch))
  t.notOk(wants(metadataChange({ touched_seconds: 1 }, { touched_seconds: EPOCH }), iso))
})

t.test('skips changes of only ignored fields', async (t) => {
  const options = { ignore: ['theirs', 'others'] }
  t.notOk(wants(metadataChange({ theirs: EARLIER }, { theirs: STAMP }), options))
  t.notOk(
    wants(metadataChange({ theirs: EARLIER, cms_id: '1' }, { theirs: STAMP }), options),
    'only written fields'
  )
  t.notOk(wants(metadataChange({}, { theirs: STAMP, others: 'x' }), options))
  t.ok(wants(metadataChange({ cms_id: '1' }, { theirs: STAMP, cms_id: '2' }), options))
  t.ok(wants(metadataChange({ cms_id: '1' }, {}), options))
})

t.test('handles another change beside the stamp', async (t) => {
  t.ok(wants(metadataChange({ cms_id: '1', [FIELD]: EARLIER }, { cms_id: '2', [FIELD]: STAMP })))
  t.ok(wants(metadataChange({ [FIELD]: EARLIER }, { cms_id: '2', [FIELD]: STAMP })))
})

t.test('handles any metadata field without watch', async (t) => {
  t.ok(wants(changed))
  t.ok(wants(metadataChange({}, { cms_id: '2' })))
  t.ok(wants(metadataChange({ cms_id: '1' }, {})))
  t.ok(wants(metadataChange({ cms_id: '1' }, { cms_id: null })))
  t.ok(wants(metadataChange({ colours: ['a', 'b'] }, { colours: ['b', 'a'] })), 'another order of values')
  t.ok(wants(metadataChange({ cms_id: '1', [FIELD]: EARLIER }, { [FIELD]: EARLIER })))
})

t.test('compares missing and null as equal', async (t) => {
  t.notOk(wants(metadataChange({}, { cms_id: null })))
  t.notOk(wants(metadataChange({ cms_id: null }, {})))
  t.notOk(wants(metadataChange({ colours: ['a'] }, { colours: ['a'] })))
  t.notOk(wants(metadataChange({}, {})))
})

t.test('handles only watched fields', async (t) => {
  const options = { watch: ['cms_id', 'colours'] }
  t.ok(wants(changed, options))
  t.ok(wants(metadataChange({ colours: ['a'] }, { colours: ['b'] }), options))
  t.ok(wants(metadataChange({ cms_id: '1', other: 'a' }, { cms_id: '2', other: 'b' }), options))
  t.notOk(wants(metadataChange({ cms_id: '1', other: 'a' }, { cms_id: '1', other: 'b' }), options))
  t.notOk(wants(metadataChange({ other: 'a' }, {}), options))
  t.notOk(wants(changed, { watch: ['other'] }))
})

t.test('never handles the stamp, even if watched', async (t) => {
  t.notOk(wants(metadataChange({}, { [FIELD]: STAMP }), { watch: [FIELD] }))
})

t.test('handles unknown changes only with a known author', async (t) => {
  t.ok(wants(metadataChange(undefined, { cms_id: '1' }), { watch: ['cms_id'] }))
  t.ok(wants(metadataChange({ cms_id: '1' }, undefined)))
  t.ok(wants(metadataChange('none', null)))
  const anonymous = { source: null, id: null, own: false }
  t.notOk(wants({ ...metadataChange('none', null), origin: anonymous }), 'may be our own stamp')
})

t.test('stamps the asset with the time of the change', async (t) => {
  const { note, calls } = await run(changed)
  t.equal(note, `${FIELD} = ${STAMP}`)
  t.strictSame(calls, [
    ['currentState', changed.asset],
    ['updateMetadata', changed.asset, { [FIELD]: STAMP }]
  ])
})

t.test('uses the given field and format', async (t) => {
  const { note, calls } = await run(changed, { options: { field: 'touched', format: 'epoch' } })
  t.equal(note, `touched = ${EPOCH}`)
  t.strictSame(calls.at(-1), ['updateMetadata', changed.asset, { touched: EPOCH }])
})

t.test('replaces an older or invalid stamp', async (t) => {
  const older = [
    EARLIER,
    '2026-06-01T12:00:00Z',
    '2020-01-01',
    '',
    'never',
    null,
    true,
    [LATER],
    '1780315200',
    1
  ]
  for (const stamp of older) {
    const { names } = await run(changed, { metadata: { [FIELD]: stamp } })
    t.strictSame(names, ['currentState', 'updateMetadata'], JSON.stringify(stamp))
  }
  t.strictSame((await run(changed, { metadata: undefined })).names, ['currentState', 'updateMetadata'])
  t.strictSame((await run(changed, { metadata: { other: LATER } })).names, ['currentState', 'updateMetadata'])
})

t.test('keeps a newer or equal stamp', async (t) => {
  for (const stamp of [STAMP, LATER, '2026-06-01T14:00:01+02:00', '1780315201', 1_780_315_201]) {
    const { note, names } = await run(changed, { metadata: { [FIELD]: stamp } })
    t.equal(note, `skipped: ${FIELD} is not older than ${STAMP}`)
    t.strictSame(names, ['currentState'], String(stamp))
  }
})

t.test('skips changes within the same second in epoch format', async (t) => {
  const options: Options = { format: 'epoch' }
  for (const stamp of [EPOCH, Number(EPOCH), Number(EPOCH) + 1]) {
    t.strictSame((await run(changed, { options, metadata: { [FIELD]: stamp } })).names, ['currentState'])
  }
  const before = await run(changed, { options, metadata: { [FIELD]: Number(EPOCH) - 1 } })
  t.strictSame(before.names, ['currentState', 'updateMetadata'])
})

t.test('makes no call if the notification has a newer stamp', async (t) => {
  const shown = [
    metadataChange({}, { cms_id: '2', [FIELD]: STAMP }),
    metadataChange({}, { cms_id: '2', [FIELD]: LATER }),
    sampleEvent('upload', {}, { metadata: { [FIELD]: LATER } })
  ]
  for (const event of shown) {
    t.strictSame(await run(event), {
      note: `skipped: ${FIELD} is not older than ${STAMP}`,
      calls: [],
      names: []
    })
  }
})

t.test('reads the asset if the notification has an older stamp', async (t) => {
  const event = metadataChange({}, { cms_id: '2', [FIELD]: EARLIER })
  t.strictSame((await run(event, { metadata: { [FIELD]: LATER } })).names, ['currentState'])
  t.strictSame((await run(event)).names, ['currentState', 'updateMetadata'])
})

t.test("requires metadata in the asset's current state", async (t) => {
  const options = { requireMetadata: 'cms_id' }
  for (const cms_id of ['7', 0, ['a'], false]) {
    const { names } = await run(sampleEvent('upload'), { options, metadata: { cms_id } })
    t.strictSame(names, ['currentState', 'updateMetadata'], JSON.stringify(cms_id))
  }
  for (const metadata of [undefined, {}, { cms_id: null }, { cms_id: '' }, { cms_id: [] }, { other: '7' }]) {
    const { note, names } = await run(changed, { options, metadata })
    t.equal(note, 'skipped: cms_id is not set', 'regardless of the notification')
    t.strictSame(names, ['currentState'], JSON.stringify(metadata))
  }
  const { note } = await run(changed, { options, metadata: { cms_id: '7', [FIELD]: LATER } })
  t.match(note, /not older/)
})

t.test('handles a change of the required field, watched or not', async (t) => {
  const options = { watch: ['other'], requireMetadata: 'cms_id' }
  t.ok(wants(metadataChange({}, { cms_id: '7' }), options))
  t.ok(wants(metadataChange({ other: 'a' }, { other: 'b' }), options))
  t.notOk(wants(metadataChange({ more: 'a' }, { more: 'b' }), options))
  t.ok(wants(metadataChange({ more: 'a' }, { more: 'b' }), { requireMetadata: 'cms_id' }), 'all are watched')
})

t.test('declares the metadata field with its type', async (t) => {
  t.strictSame(lastUpdateTimestamp().metadataFields, [
    { external_id: FIELD, label: 'Last update', type: 'string' }
  ])
  t.match(lastUpdateTimestamp({ field: 'touched', format: 'epoch' }).metadataFields, [
    { external_id: 'touched', type: 'integer' }
  ])
})

/** A metadata change that a search found, without previous values and author. */
const metadataFound = (new_metadata: Record<string, unknown>, occurredAt = STAMP): AssetEvent => ({
  ...metadataChange(undefined, new_metadata),
  occurredAt,
  origin: { source: null, id: null, own: false },
  reconciled: true
})

t.test('handles found metadata changes regardless of watch', async (t) => {
  t.ok(wants(metadataFound({ cms_id: '2' }), { watch: ['cms_id'] }))
  const { note } = await run(metadataFound({ cms_id: '2', [FIELD]: EARLIER }))
  t.equal(note, `${FIELD} = ${STAMP}`)
})

t.test('skips found changes caused by its own stamp', async (t) => {
  for (const [format, left] of [
    ['iso', STAMP],
    ['epoch', Number(EPOCH)],
    ['epoch', EPOCH]
  ] as const) {
    const { state } = memoryState()
    const first = await run(metadataFound({ cms_id: '2' }), { options: { format }, state })
    t.strictSame(first.names, ['currentState', 'updateMetadata'])
    const own = metadataFound({ cms_id: '2', [FIELD]: left }, '2026-06-01T13:00:00.000Z')
    t.strictSame(await run(own, { options: { format }, state }), {
      note: `skipped: no change since ${FIELD} was written`,
      calls: [],
      names: []
    })
  }
})

t.test('stamps changes found after its own stamp', async (t) => {
  const { state } = memoryState()
  await run(metadataFound({ cms_id: '2' }), { state })
  const at = '2026-06-01T13:00:00.000Z'
  const since = [
    metadataFound({ cms_id: '3', [FIELD]: STAMP }, at),
    metadataFound({ [FIELD]: STAMP }, at),
    metadataFound({ cms_id: '2', [FIELD]: LATER }, at)
  ]
  for (const event of since) {
    t.strictSame((await run(event, { state })).names, ['currentState', 'updateMetadata'])
  }
  const { new_metadata: _, ...none } = since[0]!.payload
  t.strictSame((await run({ ...since[0]!, payload: none }, { state })).names, [
    'currentState',
    'updateMetadata'
  ])
  const other = { ...metadataFound({ cms_id: '2', [FIELD]: STAMP }, at), asset: { assetId: 'another' } }
  t.strictSame((await run(other, { state })).names, ['currentState', 'updateMetadata'])
})

t.test('does not save metadata of a change without a stamp', async (t) => {
  const { state, entries } = memoryState()
  const tagged: AssetEvent = { ...sampleEvent('resource_tags_changed'), reconciled: true }
  t.strictSame((await run(tagged, { state })).names, ['currentState', 'updateMetadata'])
  t.equal(entries.size, 0)
})

t.test('skips found changes of ignored stamps', async (t) => {
  const { state } = memoryState()
  const options = { ignore: ['theirs'] }
  await run(metadataFound({ cms_id: '2', theirs: EARLIER }), { options, state })
  const theirs = metadataFound({ cms_id: '2', theirs: LATER, [FIELD]: STAMP }, '2026-06-01T13:00:00.000Z')
  t.strictSame((await run(theirs, { options, state })).names, [])
})

t.test('stops a loop at the third answer', async (t) => {
  for (const isFound of [false, true]) {
    const { state } = memoryState()
    let now = HAPPENED_AT.getTime()
    const clock = () => now
    const stamped: boolean[] = []
    let theirs = EARLIER
    for (let turn = 0; turn < 6; turn++) {
      const before = { cms_id: '2', theirs }
      theirs = new Date(now).toISOString()
      now += 60_000
      const occurredAt = new Date(now).toISOString()
      const event = isFound
        ? metadataFound({ ...before, theirs }, occurredAt)
        : { ...metadataChange(before, { ...before, theirs }), occurredAt }
      const { names } = await run(event, { state, clock })
      stamped.push(names.includes('updateMetadata'))
    }
    // previous values of a found change are known from the second on; after an unstamped answer there is no
    // write to answer
    const turns = isFound ? [true, true, true, true, false, true] : [true, true, true, false, true, false]
    t.strictSame(stamped, turns, isFound ? 'found' : 'notified')
  }
})

t.test('skips an event without an asset', async (t) => {
  t.strictSame(await run({ ...changed, asset: null }), {
    note: 'skipped: the notification names no asset',
    calls: [],
    names: []
  })
})

t.test('ends with the newest stamp for any order of events', async (t) => {
  const second = fc.integer({ min: 1_700_000_000, max: 1_800_000_000 })
  const anyTime = fc.tuple(second, fc.integer({ min: 0, max: 999 })).map(([s, ms]) => s * 1000 + ms)
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyTime, { minLength: 1 }),
      fc.constantFrom('iso' as const, 'epoch' as const),
      async (times, format) => {
        const metadata: Record<string, unknown> = {}
        for (const time of times) {
          const event = { ...changed, occurredAt: new Date(time).toISOString() }
          const { calls } = await run(event, { options: { format }, metadata })
          Object.assign(metadata, calls.find(([name]) => name === 'updateMetadata')?.[2])
        }
        const newest = Math.max(...times)
        const expected = format === 'iso' ? new Date(newest).toISOString() : String(Math.floor(newest / 1000))
        t.equal(metadata[FIELD], expected)
      }
    )
  )
})

t.test('never handles its own stamp', async (t) => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.array(fc.string()), fc.constant(null))
  const fields = fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), value)
  fc.assert(
    fc.property(fields, fc.boolean(), fc.boolean(), (metadata, stamped, partial) => {
      const before = { ...metadata, ...(stamped && { [FIELD]: EARLIER }) }
      const after = { ...(partial ? {} : before), [FIELD]: STAMP }
      t.notOk(wants(metadataChange(before, after)))
    })
  )
})

t.test('rejects invalid options', async (t) => {
  const refusals: [unknown, RegExp][] = [
    [{ field: '' }, /^lastUpdateTimestamp: field: /],
    [{ field: 'x'.repeat(256) }, /^lastUpdateTimestamp: field: /],
    [{ watch: [] }, /^lastUpdateTimestamp: watch: /],
    [{ watch: [''] }, /^lastUpdateTimestamp: watch\.0: /],
    [{ watch: 'cms_id' }, /^lastUpdateTimestamp: watch: /],
    [{ requireMetadata: '' }, /^lastUpdateTimestamp: requireMetadata: /],
    [{ requireMetadata: FIELD }, /^lastUpdateTimestamp: options: requireMetadata /],
    [{ watch: ['a'], ignore: ['a'] }, /^lastUpdateTimestamp: options: .*ignore/],
    [{ requireMetadata: 'a', ignore: ['a'] }, /^lastUpdateTimestamp: options: .*ignore/],
    [{ ignore: [''] }, /^lastUpdateTimestamp: ignore\.0: /],
    [{ format: 'date' }, /^lastUpdateTimestamp: format: /],
    [{ feild: 'x' }, /^lastUpdateTimestamp: options: .*feild/]
  ]
  for (const [options, message] of refusals) {
    t.throws(() => lastUpdateTimestamp(options as Options), { code: 'LISTENER_CONFIG_INVALID', message })
  }
})
