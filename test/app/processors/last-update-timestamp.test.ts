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

/** Whether the processor would be run for an event. */
function wants(event: AssetEvent, options?: Options): boolean {
  const { on, when } = lastUpdateTimestamp(options)
  return on.includes(event.type) && (when?.(event) ?? true)
}

/** Runs the processor on an asset with this metadata, and gives its note and the calls it made. */
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

/** A metadata change from and to these values. */
const metadataChange = (previous_metadata: unknown, new_metadata: unknown) => {
  const event = sampleEvent('resource_metadata_changed')
  return { ...event, payload: { ...event.payload, previous_metadata, new_metadata } }
}

const changed = metadataChange({ cms_id: '1' }, { cms_id: '2' })

t.test('it is run for every type that says an asset changed, and for no other', async (t) => {
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

t.test('it has a name of its own, which can be another', async (t) => {
  t.equal(lastUpdateTimestamp().name, 'last-update-timestamp')
  t.equal(lastUpdateTimestamp({ name: 'stamp' }).name, 'stamp')
})

t.test('a change that concerns no metadata counts, whatever is watched', async (t) => {
  t.ok(wants(sampleEvent('upload'), { watch: ['cms_id'] }))
  t.ok(wants(sampleEvent('resource_tags_changed'), { watch: ['cms_id'] }))
})

t.test('a change of nothing but the stamp does not count, in either reading of new_metadata', async (t) => {
  t.notOk(wants(sampleEvent('resource_metadata_changed', { variant: 'timestamp' })), 'set for the first time')
  const before = { cms_id: '1', tags: ['a'] }
  t.notOk(wants(metadataChange({ ...before, [FIELD]: EARLIER }, { ...before, [FIELD]: STAMP })), 'all fields')
  t.notOk(
    wants(metadataChange({ ...before, [FIELD]: EARLIER }, { [FIELD]: STAMP })),
    'what was written alone'
  )
  t.notOk(wants(metadataChange({ [FIELD]: EARLIER }, { [FIELD]: STAMP })))
  t.notOk(wants(metadataChange(before, { [FIELD]: STAMP })), 'what was written alone, for the first time')
  t.notOk(wants(metadataChange({}, { [FIELD]: STAMP })))
  t.notOk(wants(metadataChange({ [FIELD]: STAMP }, {})), 'taken away')
})

t.test('a stamp under another name is told from other fields as well', async (t) => {
  t.notOk(wants(metadataChange({}, { touched: STAMP }), { field: 'touched' }))
  t.ok(wants(metadataChange({}, { other: STAMP }), { field: 'touched' }))
})

t.test('no stamp of the listener is a change for another one, whoever is said to have made it', async (t) => {
  const [iso, epoch] = [{}, { field: 'touched_seconds', format: 'epoch' }] as const
  lastUpdateTimestamp(iso)
  t.notOk(wants(metadataChange({}, { [FIELD]: STAMP }), epoch))
  t.notOk(wants(metadataChange({ touched_seconds: 1 }, { touched_seconds: EPOCH }), iso))
})

t.test('a field of `ignore` never counts, as the stamp itself', async (t) => {
  const options = { ignore: ['theirs', 'others'] }
  t.notOk(wants(metadataChange({ theirs: EARLIER }, { theirs: STAMP }), options))
  t.notOk(
    wants(metadataChange({ theirs: EARLIER, cms_id: '1' }, { theirs: STAMP }), options),
    'written alone'
  )
  t.notOk(wants(metadataChange({}, { theirs: STAMP, others: 'x' }), options))
  t.ok(wants(metadataChange({ cms_id: '1' }, { theirs: STAMP, cms_id: '2' }), options))
  t.ok(wants(metadataChange({ cms_id: '1' }, {}), options))
})

t.test('a change of another field beside the stamp counts', async (t) => {
  t.ok(wants(metadataChange({ cms_id: '1', [FIELD]: EARLIER }, { cms_id: '2', [FIELD]: STAMP })))
  t.ok(wants(metadataChange({ [FIELD]: EARLIER }, { cms_id: '2', [FIELD]: STAMP })))
})

t.test('any field counts where none is named: set, changed or taken away', async (t) => {
  t.ok(wants(changed))
  t.ok(wants(metadataChange({}, { cms_id: '2' })))
  t.ok(wants(metadataChange({ cms_id: '1' }, {})))
  t.ok(wants(metadataChange({ cms_id: '1' }, { cms_id: null })))
  t.ok(wants(metadataChange({ colours: ['a', 'b'] }, { colours: ['b', 'a'] })), 'another order of a set')
  t.ok(wants(metadataChange({ cms_id: '1', [FIELD]: EARLIER }, { [FIELD]: EARLIER })))
})

t.test('a field that is unset before and null after, or the same, has not changed', async (t) => {
  t.notOk(wants(metadataChange({}, { cms_id: null })))
  t.notOk(wants(metadataChange({ cms_id: null }, {})))
  t.notOk(wants(metadataChange({ colours: ['a'] }, { colours: ['a'] })))
  t.notOk(wants(metadataChange({}, {})))
})

t.test('of metadata only what is watched counts, where it is named', async (t) => {
  const options = { watch: ['cms_id', 'colours'] }
  t.ok(wants(changed, options))
  t.ok(wants(metadataChange({ colours: ['a'] }, { colours: ['b'] }), options))
  t.ok(wants(metadataChange({ cms_id: '1', other: 'a' }, { cms_id: '2', other: 'b' }), options))
  t.notOk(wants(metadataChange({ cms_id: '1', other: 'a' }, { cms_id: '1', other: 'b' }), options))
  t.notOk(wants(metadataChange({ other: 'a' }, {}), options))
  t.notOk(wants(changed, { watch: ['other'] }))
})

t.test('the stamp cannot be watched, or it would stamp itself for ever', async (t) => {
  t.notOk(wants(metadataChange({}, { [FIELD]: STAMP }), { watch: [FIELD] }))
})

t.test('a change that does not say what changed counts if it says who made it', async (t) => {
  t.ok(wants(metadataChange(undefined, { cms_id: '1' }), { watch: ['cms_id'] }))
  t.ok(wants(metadataChange({ cms_id: '1' }, undefined)))
  t.ok(wants(metadataChange('none', null)))
  const anonymous = { source: null, id: null, own: false }
  t.notOk(wants({ ...metadataChange('none', null), origin: anonymous }), 'it may be our own stamp')
})

t.test('the asset is stamped with the time of the change', async (t) => {
  const { note, calls } = await run(changed)
  t.equal(note, `${FIELD} = ${STAMP}`)
  t.strictSame(calls, [
    ['currentState', changed.asset],
    ['updateMetadata', changed.asset, { [FIELD]: STAMP }]
  ])
})

t.test('the stamp is in the field, and in the form, that is asked for', async (t) => {
  const { note, calls } = await run(changed, { options: { field: 'touched', format: 'epoch' } })
  t.equal(note, `touched = ${EPOCH}`)
  t.strictSame(calls.at(-1), ['updateMetadata', changed.asset, { touched: EPOCH }])
})

t.test('an older stamp is replaced, and what is no time at all too', async (t) => {
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

t.test('a stamp that is as new or newer is never set back', async (t) => {
  for (const stamp of [STAMP, LATER, '2026-06-01T14:00:01+02:00', '1780315201', 1_780_315_201]) {
    const { note, names } = await run(changed, { metadata: { [FIELD]: stamp } })
    t.equal(note, `skipped: ${FIELD} is not older than ${STAMP}`)
    t.strictSame(names, ['currentState'], String(stamp))
  }
})

t.test('in seconds, changes of the same second are one', async (t) => {
  const options: Options = { format: 'epoch' }
  for (const stamp of [EPOCH, Number(EPOCH), Number(EPOCH) + 1]) {
    t.strictSame((await run(changed, { options, metadata: { [FIELD]: stamp } })).names, ['currentState'])
  }
  const before = await run(changed, { options, metadata: { [FIELD]: Number(EPOCH) - 1 } })
  t.strictSame(before.names, ['currentState', 'updateMetadata'])
})

t.test('a notification that shows a stamp as new or newer costs no call', async (t) => {
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

t.test('a notification that shows an older stamp may be outdated: the asset is asked', async (t) => {
  const event = metadataChange({}, { cms_id: '2', [FIELD]: EARLIER })
  t.strictSame((await run(event, { metadata: { [FIELD]: LATER } })).names, ['currentState'])
  t.strictSame((await run(event)).names, ['currentState', 'updateMetadata'])
})

t.test('where metadata is required, what the asset has now decides', async (t) => {
  const options = { requireMetadata: 'cms_id' }
  for (const cms_id of ['7', 0, ['a'], false]) {
    const { names } = await run(sampleEvent('upload'), { options, metadata: { cms_id } })
    t.strictSame(names, ['currentState', 'updateMetadata'], JSON.stringify(cms_id))
  }
  for (const metadata of [undefined, {}, { cms_id: null }, { cms_id: '' }, { cms_id: [] }, { other: '7' }]) {
    const { note, names } = await run(changed, { options, metadata })
    t.equal(note, 'skipped: cms_id is not set', 'whatever the notification says')
    t.strictSame(names, ['currentState'], JSON.stringify(metadata))
  }
  const { note } = await run(changed, { options, metadata: { cms_id: '7', [FIELD]: LATER } })
  t.match(note, /not older/)
})

t.test('an asset that gets the metadata that is required counts, watched or not', async (t) => {
  const options = { watch: ['other'], requireMetadata: 'cms_id' }
  t.ok(wants(metadataChange({}, { cms_id: '7' }), options))
  t.ok(wants(metadataChange({ other: 'a' }, { other: 'b' }), options))
  t.notOk(wants(metadataChange({ more: 'a' }, { more: 'b' }), options))
  t.ok(wants(metadataChange({ more: 'a' }, { more: 'b' }), { requireMetadata: 'cms_id' }), 'all are watched')
})

t.test('it names the field that it writes, of the type that its form needs', async (t) => {
  t.strictSame(lastUpdateTimestamp().metadataFields, [
    { external_id: FIELD, label: 'Last update', type: 'string' }
  ])
  t.match(lastUpdateTimestamp({ field: 'touched', format: 'epoch' }).metadataFields, [
    { external_id: 'touched', type: 'integer' }
  ])
})

/** A change of metadata that a search found: how it was before, and who made it, is not known. */
const metadataFound = (new_metadata: Record<string, unknown>, occurredAt = STAMP): AssetEvent => ({
  ...metadataChange(undefined, new_metadata),
  occurredAt,
  origin: { source: null, id: null, own: false },
  reconciled: true
})

t.test('a change of metadata that was found counts, whatever is watched', async (t) => {
  t.ok(wants(metadataFound({ cms_id: '2' }), { watch: ['cms_id'] }))
  const { note } = await run(metadataFound({ cms_id: '2', [FIELD]: EARLIER }))
  t.equal(note, `${FIELD} = ${STAMP}`)
})

t.test('a stamp that such a change led to leads to no other when it is found in its turn', async (t) => {
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

t.test('what changed since such a stamp leads to another', async (t) => {
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

t.test(
  'of another side that was found nothing is remembered: its stamp is the metadata of the next',
  async (t) => {
    const { state, entries } = memoryState()
    const tagged: AssetEvent = { ...sampleEvent('resource_tags_changed'), reconciled: true }
    t.strictSame((await run(tagged, { state })).names, ['currentState', 'updateMetadata'])
    t.equal(entries.size, 0)
  }
)

t.test('a stamp of another listener that was found is passed over where it is ignored', async (t) => {
  const { state } = memoryState()
  const options = { ignore: ['theirs'] }
  await run(metadataFound({ cms_id: '2', theirs: EARLIER }), { options, state })
  const theirs = metadataFound({ cms_id: '2', theirs: LATER, [FIELD]: STAMP }, '2026-06-01T13:00:00.000Z')
  t.strictSame((await run(theirs, { options, state })).names, [])
})

t.test('of a loop with another listener the third answer is not stamped, notified or found', async (t) => {
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
    // where it was found, what it was like before is known from the second on; after an answer there is no write to answer
    const turns = isFound ? [true, true, true, true, false, true] : [true, true, true, false, true, false]
    t.strictSame(stamped, turns, isFound ? 'found' : 'notified')
  }
})

t.test('an event that names no asset is skipped', async (t) => {
  t.strictSame(await run({ ...changed, asset: null }), {
    note: 'skipped: the notification names no asset',
    calls: [],
    names: []
  })
})

t.test('whatever the order of the events, the stamp ends as that of the newest', async (t) => {
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

t.test('its own stamp, notified back in either reading, leads to no other', async (t) => {
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

t.test('options that cannot work are refused when the listener starts', async (t) => {
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
