import t, { type Test } from 'tap'
import type { AssetEvent, Decision, ProcessorContext } from '../../../../app/listener.ts'
import { type ModerateOptions, moderate } from '../../../../app/processors/moderate/moderate.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { sampleEvent } from '../../../support/events.ts'
import { QUIET } from '../../../support/operator.ts'

const TOKEN = [{ access_type: 'token' }]

/** A processor, and an image in the folder `shop`. */
async function build(t: Test, options: ModerateOptions = {}, folder = 'shop') {
  const { cloudinary, clients } = await buildCloudinary(t)
  cloudinary
    .cloud()
    .metadataFields.create({ external_id: 'quarantined', label: 'Quarantine', type: 'string' })
  const { asset } = cloudinary.as().upload({ publicId: 'shop/shoe', assetFolder: folder, tags: ['new'] })
  const { state, entries } = memoryState()
  const processor = moderate(options)
  const { signal } = new AbortController()
  const context = { cloudinary: clients.for('demo', signal), state, signal, log: QUIET } as ProcessorContext
  const eventOf = (status: string, change: Record<string, unknown> = {}): AssetEvent =>
    sampleEvent(
      'moderation',
      { publicId: 'shop/shoe', assetId: asset.assetId },
      { moderation_status: status, ...change }
    )
  return {
    cloudinary,
    context,
    asset,
    entries,
    eventOf,
    handle: async (event: AssetEvent) => processor.handle(event, context),
    decide: async (status: string, change?: Record<string, unknown>) =>
      processor.handle(eventOf(status, change), context),
    actions: () => cloudinary.calls.map(({ action }) => action)
  }
}

t.test('handles decisions, and needs a metadata field', async (t) => {
  const { name, on, ownChanges, metadataFields, when } = moderate()
  t.strictSame({ name, on, ownChanges }, { name: 'moderate', on: ['moderation'], ownChanges: undefined })
  t.match(metadataFields, [{ external_id: 'quarantined', type: 'string' }])
  const decision = (fields: object) => when?.(sampleEvent('moderation', {}, { ...fields }))
  t.equal(decision({ moderation_status: 'rejected' }), true)
  t.equal(decision({ moderation_status: 'pending' }), false)
  const some = moderate({ kinds: ['manual'] })
  t.equal(some.when?.(sampleEvent('moderation')), false)
  t.equal(some.when?.(sampleEvent('moderation', {}, { moderation_kind: 'manual' })), true)
})

t.test('quarantines by folder and restores, in two calls each', async (t) => {
  const { asset, decide, actions } = await build(t)
  t.equal(await decide('rejected'), 'quarantined: rejected by aws_rek')
  t.match(asset, { assetFolder: 'quarantine', tags: ['new'], accessControl: [] })
  t.equal(await decide('approved'), 'restored: approved by aws_rek')
  t.match(asset, { assetFolder: 'shop', metadata: { quarantined: undefined } })
  t.strictSame(actions(), ['explicit', 'explicit', 'explicit', 'explicit'])
})

t.test('restricts and tags, and takes both back', async (t) => {
  const { asset, decide, actions } = await build(t, { folder: false, restrict: true, tag: 'rejected' })
  await decide('rejected')
  t.match(asset, { assetFolder: 'shop', tags: ['new', 'rejected'], accessControl: TOKEN })
  await decide('approved')
  t.strictSame([asset.accessControl, asset.tags, asset.metadata], [[], ['new'], {}])
  t.strictSame(actions(), ['explicit', 'explicit', 'tags', 'explicit', 'tags', 'explicit'])
})

t.test('removes the tag although an attempt failed', async (t) => {
  const { decide, cloudinary, asset } = await build(t, { tag: 'rejected' })
  await decide('rejected')
  cloudinary.faults.add({ kind: 'status', status: 503, action: 'tags', count: 1 })
  await t.rejects(decide('approved'), { code: 'CLOUDINARY_UNAVAILABLE' })
  await decide('approved')
  t.match(asset, { assetFolder: 'shop', tags: ['new'] })
})

t.test('a late rejection counts after the approval of another add-on, not of a person', async (t) => {
  const earlier = { moderation_updated_at: '2026-06-01T10:00:00Z' }
  const later = { moderation_updated_at: '2026-06-01T11:00:00Z' }
  const { asset, decide } = await build(t)
  await decide('approved', { ...later, moderation_kind: 'webpurify' })
  t.match(await decide('rejected', earlier), /^quarantined/)
  t.equal(asset.assetFolder, 'quarantine')
  const other = await build(t)
  await other.decide('approved', { ...later, moderation_kind: 'manual' })
  t.match(await other.decide('rejected', earlier), /^skipped: .* is newer/)
  t.equal(other.asset.assetFolder, 'shop')
})

t.test('the approval of one add-on does not revoke the rejection of another', async (t) => {
  const told: Decision[] = []
  const { asset, decide } = await build(t, { notify: (decision) => told.push(decision) })
  await decide('rejected')
  await decide('rejected', { moderation_kind: 'webpurify' })
  t.equal(
    await decide('approved', { moderation_kind: 'webpurify' }),
    'still rejected by aws_rek: approved by webpurify'
  )
  t.strictSame([asset.assetFolder, told.length], ['quarantine', 2])
  await decide('approved')
  t.strictSame([asset.assetFolder, told.length], ['shop', 3])
})

t.test('restores to the root folder', async (t) => {
  const { asset, decide, actions } = await build(t, {}, '')
  await decide('rejected')
  t.equal(asset.assetFolder, 'quarantine')
  await decide('approved')
  t.strictSame([asset.assetFolder, asset.metadata], ['', {}])
  t.strictSame(actions(), ['explicit', 'explicit', 'explicit', 'update', 'explicit'])
})

t.test('a repeated decision reads, and writes nothing', async (t) => {
  const { decide, actions, asset } = await build(t, { tag: 'rejected' })
  await decide('rejected')
  const { metadata } = asset
  await decide('rejected')
  t.strictSame(actions(), ['explicit', 'explicit', 'tags', 'explicit'])
  t.strictSame(asset.metadata, metadata)
})

t.test('resumes where an attempt failed', async (t) => {
  const { decide, cloudinary, asset } = await build(t, { tag: 'rejected' })
  cloudinary.faults.add({ kind: 'status', status: 503, action: 'tags', count: 1 })
  await t.rejects(decide('rejected'), { code: 'CLOUDINARY_UNAVAILABLE' })
  t.equal(await decide('rejected'), 'quarantined: rejected by aws_rek')
  t.match(asset, { assetFolder: 'quarantine', tags: ['new', 'rejected'] })
  await decide('approved')
  t.equal(asset.assetFolder, 'shop')
})

t.test('throws the errors of Cloudinary: wrong key, rate limit, time-out', async (t) => {
  const { decide, cloudinary, asset } = await build(t)
  const until = new Date(Date.now() + 60_000)
  cloudinary.faults.add({ kind: 'status', status: 401, count: 1 })
  cloudinary.faults.add({ kind: 'reset', count: 1 })
  cloudinary.faults.add({ kind: 'rate_limit', until, count: 1 })
  await t.rejects(decide('rejected'), { code: 'CLOUDINARY_UNAUTHORIZED' })
  await t.rejects(decide('rejected'), { code: 'CLOUDINARY_UNREACHABLE' })
  await t.rejects(decide('rejected'), { code: 'CLOUDINARY_RATE_LIMITED' })
  t.equal(asset.assetFolder, 'shop')
})

t.test('ignores a decision that is older than the last one', async (t) => {
  const { asset, decide } = await build(t)
  const before = { moderation_updated_at: '2026-06-01T10:00:00Z' }
  const after = { moderation_updated_at: '2026-06-01T11:00:00Z' }
  t.match(await decide('approved', after), /not in quarantine/)
  t.match(await decide('rejected', before), /^skipped: .*2026-06-01T11:00:00/)
  t.equal(asset.assetFolder, 'shop')
  await decide('rejected', after)
  t.match(await decide('approved', before), /^skipped/)
  t.equal(asset.assetFolder, 'quarantine')
})

t.test('finds a renamed asset, and ignores another one with its name', async (t) => {
  const { asset, decide, cloudinary } = await build(t)
  cloudinary.ui().rename('shop/shoe', 'shop/boot')
  const { asset: other } = cloudinary.as().upload({ publicId: 'shop/shoe' })
  await decide('rejected')
  t.strictSame([asset.assetFolder, other.assetFolder], ['quarantine', ''])
})

t.test('skips a deleted asset', async (t) => {
  const { decide, handle, eventOf, cloudinary } = await build(t)
  cloudinary.ui().destroy('shop/shoe')
  t.match(await decide('rejected'), /^skipped: the asset was deleted/)
  t.match(await decide('rejected', { asset_id: undefined }), /^skipped: the asset was deleted/)
  t.match(await handle({ ...eventOf('rejected'), asset: null }), /^skipped/)
})

t.test('without an asset id, the URL states the kind; without both, nothing is done', async (t) => {
  const { asset, decide } = await build(t)
  await decide('rejected', { asset_id: undefined })
  t.equal(asset.assetFolder, 'quarantine')
  await t.rejects(decide('approved', { asset_id: undefined, url: undefined, secure_url: undefined }), {
    code: 'ASSET_KIND_UNKNOWN'
  })
})

t.test('notifies of a decision once it is carried out, also after a failure', async (t) => {
  const told: Decision[] = []
  const failures = [new Error('chat is down')]
  const { asset, decide } = await build(t, {
    async notify(decision) {
      const failure = failures.pop()
      if (failure) throw failure
      told.push(decision)
    }
  })
  await t.rejects(decide('rejected'), { message: 'chat is down' })
  await decide('rejected')
  t.match(told, [{ status: 'rejected', kind: 'aws_rek', asset: { assetId: asset.assetId } }])
  failures.push(new Error('chat is down'))
  await t.rejects(decide('approved'), { message: 'chat is down' })
  t.equal(asset.assetFolder, 'shop')
  t.equal(await decide('approved'), 'restored: approved by aws_rek')
  t.equal(told.length, 2)
  t.match(await decide('approved'), /^skipped/)
  t.equal(told.length, 2)
})

t.test('reports a cloud without asset folders, and one that cuts the record off', async (t) => {
  for (const [change, code] of [
    [{ asset_folder: undefined }, 'MODERATE_NOT_MOVED'],
    [{ metadata: { quarantined: 'by=aws_rek&fr' } }, 'MODERATE_RECORD_CUT'],
    [{ metadata: undefined }, undefined],
    [{ metadata: {} }, undefined]
  ] as const) {
    const { context, asset, decide } = await build(t)
    const call = context.cloudinary.call.bind(context.cloudinary)
    context.cloudinary.call = async (name, ...given) => {
      const answer = await call(name, ...given)
      return name === 'read asset' ? answer : ({ ...answer, ...change } as never)
    }
    if (code) await t.rejects(decide('rejected'), { name: 'PermanentError', code })
    else t.match(await decide('rejected'), /^quarantined/)
    t.equal(asset.assetFolder, 'quarantine')
  }
})

t.test('a record that a person edited keeps the asset in quarantine', async (t) => {
  const { asset, cloudinary, decide } = await build(t, { restrict: true })
  await decide('rejected')
  cloudinary.ui().setMetadata('shop/shoe', { quarantined: 'by=aws_rek&from=shop&to=quarantine&access=%5B' })
  await t.rejects(decide('approved'), { name: 'PermanentError', code: 'MODERATE_RECORD_INVALID' })
  t.match(asset, { assetFolder: 'quarantine', accessControl: TOKEN })
})

t.test('rejects invalid options', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => moderate(options), { code: 'LISTENER_CONFIG_INVALID', message })
  for (const folder of ['', 'a?b', 'a/', 'a ', true]) refused({ folder }, /^moderate: folder: /)
  refused({ folder: false }, /^moderate: options: .*`restrict`/)
  refused({ tag: 'a,b' }, /tag: /)
  refused({ kinds: [] }, /kinds: /)
  refused({ notify: 'me' }, /notify: must be a function/)
  refused({ folders: 'a' }, /folders/)
  t.doesNotThrow(() => moderate({ folder: false, restrict: true }))
  t.doesNotThrow(() => moderate({ folder: 'not for/sale' }))
})
