import t, { type Test } from 'tap'
import type { AssetChange } from '../../../../app/processors/cms-write-back/asset-change.ts'
import { contentful } from '../../../../app/processors/cms-write-back/contentful.ts'
import { buildCms, cmsConfig } from '../../../support/cms.ts'
import { QUIET } from '../../../support/operator.ts'
import { contextOf, deletion, picked, RENAMED, rename } from './fixtures.ts'

const OPTIONS = { space: 'local', contentTypes: { article: ['hero', 'gallery'] } }
const localized = (value: unknown) => ({ 'en-US': value })

/** A started CMS, whose stand-in has the article `a` with the asset `bag`. */
async function build(t: Test, options: Partial<Parameters<typeof contentful>[0]> = {}) {
  const { contentful: standIn, url } = await buildCms(t)
  const cms = contentful({ ...OPTIONS, ...options })
  await cms.start?.({ config: cmsConfig(cms, url), log: QUIET })
  const context = contextOf()
  const entry = standIn.create('a', 'article', {
    title: localized('A'),
    hero: localized([picked('bag')]),
    gallery: localized([picked('hat'), picked('bag')])
  })
  const write = async (change: AssetChange = rename, within = context) => {
    const outcomes: string[] = []
    for (const found of await cms.find(change, within)) outcomes.push(await cms.update(found, change, within))
    return outcomes
  }
  return { standIn, cms, context, entry, write, calls: standIn.faults.calls }
}

t.test('updates and publishes an entry, in four calls', async (t) => {
  const { entry, write, calls, context } = await build(t)
  t.strictSame(await write(), ['published'])
  t.strictSame(entry.fields, {
    title: localized('A'),
    hero: localized([RENAMED]),
    gallery: localized([picked('hat'), RENAMED])
  })
  t.equal(entry.sys.version, entry.sys.publishedVersion! + 1)
  t.strictSame(calls, ['search entries', 'read entry', 'update entry', 'publish entry'])
  t.equal(context.entries.size, 0)
})

t.test('a repeated event writes nothing', async (t) => {
  const { entry, write, calls } = await build(t)
  await write()
  const { version } = entry.sys
  const before = calls.length
  t.strictSame(await write(), [])
  t.equal(entry.sys.version, version)
  t.strictSame(calls.slice(before), ['search entries'])
})

t.test('removes a deleted asset', async (t) => {
  const { entry, write, standIn } = await build(t)
  standIn.create('one', 'article', { hero: localized(picked('bag')) })
  t.strictSame(await write(deletion), ['published', 'published'])
  t.strictSame(entry.fields.gallery, localized([picked('hat')]))
  t.strictSame(standIn.entry('one')?.fields, { hero: {} })
})

t.test('leaves drafts, pending changes and archived entries unpublished', async (t) => {
  const { entry, write, standIn } = await build(t)
  standIn.edit('a', { title: localized('B') })
  const draft = standIn.create('b', 'article', { hero: localized([picked('bag')]) }, { published: false })
  const archived = standIn.create('c', 'article', { hero: localized([picked('bag')]) })
  archived.sys.archivedVersion = 1
  t.strictSame(await write(), ['updated', 'updated'])
  t.match(entry.fields, { title: localized('B'), hero: localized([RENAMED]) })
  t.equal(entry.sys.publishedVersion, 1)
  t.equal(draft.sys.publishedVersion, undefined)
  t.strictSame(archived.fields.hero, localized([picked('bag')]))
})

t.test('does not publish if the option forbids it', async (t) => {
  const { entry, write } = await build(t, { publish: false })
  t.strictSame(await write(), ['updated'])
  t.equal(entry.sys.publishedVersion, 1)
})

t.test('keeps what an editor changes between read and write', async (t) => {
  const { entry, write, standIn, calls } = await build(t)
  standIn.faults.add({ action: 'update entry', run: () => standIn.edit('a', { title: localized('B') }) })
  t.strictSame(await write(), ['updated'], 'the change of the editor is not published')
  t.match(entry.fields, { title: localized('B'), hero: localized([RENAMED]) })
  t.equal(calls.filter((action) => action === 'read entry').length, 2)
})

t.test('gives up on an entry that changes all the time', async (t) => {
  const { write, standIn } = await build(t)
  standIn.faults.add({
    action: 'update entry',
    count: 9,
    run: () => standIn.edit('a', { title: localized('B') })
  })
  await t.rejects(write(), { code: 'CMS_CONFLICT' })
})

t.test('leaves an entry to its editor that cannot be published', async (t) => {
  const { entry, write, standIn, context } = await build(t)
  standIn.faults.add({ action: 'publish entry', status: 422 })
  t.strictSame(await write(), ['not published'])
  t.equal(entry.sys.publishedVersion, 1)
  t.equal(context.entries.size, 0)
  t.strictSame(await write(), [])
})

t.test('publishes what an earlier attempt wrote', async (t) => {
  for (const change of [rename, deletion]) {
    const { entry, write, standIn, context } = await build(t)
    standIn.create('b', 'article', { hero: localized([picked('bag')]) })
    standIn.faults.add({ action: 'publish entry', status: 503 })
    await t.rejects(write(change), { code: 'CMS_UNAVAILABLE' })
    t.equal(entry.sys.publishedVersion, 1)
    t.strictSame((await write(change)).toSorted(), ['published', 'published'])
    t.equal(entry.sys.version, entry.sys.publishedVersion! + 1)
    t.equal(context.entries.size, 0)
  }
})

t.test('does not publish what an editor changed after an earlier attempt', async (t) => {
  const { entry, write, standIn } = await build(t)
  standIn.faults.add({ action: 'publish entry', status: 503 })
  await t.rejects(write(), { code: 'CMS_UNAVAILABLE' })
  standIn.edit('a', { title: localized('B') })
  t.strictSame(await write(), ['unchanged'])
  t.equal(entry.sys.publishedVersion, 1)
})

t.test('does not publish what an editor wrote instead of an attempt', async (t) => {
  const { entry, write, standIn, context } = await build(t)
  standIn.faults.add({ action: 'update entry', run: () => standIn.edit('a', { title: localized('B') }) })
  standIn.faults.add({ action: 'update entry', status: 503 })
  await t.rejects(write(), { code: 'CMS_UNAVAILABLE' })
  t.equal(context.entries.size, 0)
  // as if the worker was killed before it could forget the version
  await context.state.set('publish/e1', { a: entry.sys.version })
  t.strictSame(await write(), ['updated'])
  t.equal(entry.sys.publishedVersion, 1)
})

t.test('keeps the other entries that are still to be published', async (t) => {
  const { write, standIn, context } = await build(t)
  await context.state.set('publish/e1', { other: 3, a: 9 })
  standIn.faults.add({ action: 'publish entry', status: 422 })
  t.strictSame(await write(), ['not published', 'unchanged'])
  t.strictSame(await context.state.get('publish/e1'), { other: 3 })
})

t.test('reads only changed entries later', async (t) => {
  const { cms, context, standIn } = await build(t)
  const ids = async () => (await cms.find(rename, context)).map(({ id }) => id)
  t.strictSame(await ids(), ['a'])
  standIn.create('b', 'article', { gallery: localized([picked('bag')]) })
  standIn.create('c', 'page', { hero: localized([picked('bag')]) })
  standIn.edit('a', { hero: localized([]), gallery: localized([]) })
  t.strictSame(await ids(), ['b'])
})

t.test('forgets a deleted entry', async (t) => {
  const { write, standIn, cms, context } = await build(t)
  const found = await cms.find(rename, context)
  standIn.delete('a')
  t.equal(await cms.update(found[0]!, rename, context), 'unchanged')
  t.strictSame(await write(), [])
})

t.test('stops between calls when the worker stops', async (t) => {
  const { cms, context, calls } = await build(t)
  const [found] = await cms.find(rename, context)
  await t.rejects(cms.update(found!, rename, contextOf(AbortSignal.abort(new Error('stops')))), {
    message: 'stops'
  })
  t.strictSame(calls, ['search entries'])
})

t.test('checks content types and fields', async (t) => {
  const { cms, standIn } = await build(t)
  const { url } = await buildCms(t)
  const { signal } = new AbortController()
  const check = (checked = cms) => checked.check?.({ config: cmsConfig(cms, url), log: QUIET, signal })
  t.match(await check(), [{ level: 'ok' }])
  t.match(
    await check(contentful({ space: 'local', contentTypes: { article: ['hero', 'title'], page: ['a'] } })),
    [{ level: 'fault', message: /no JSON field article\.title, content type page;/ }]
  )
  t.strictSame(standIn.faults.calls, [])
})

t.test('rejects invalid options', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => contentful({ ...OPTIONS, ...options }), { code: 'LISTENER_CONFIG_INVALID', message })
  refused({ space: '' }, /^contentful: space: /)
  refused({ environment: 'a/b' }, /environment: /)
  refused({ contentTypes: {} }, /contentTypes: name at least one/)
  refused({ contentTypes: { article: [] } }, /contentTypes\.article: /)
  refused({ contentTypes: { 'a b': ['hero'] } }, /contentTypes/)
  refused({ token: 'a' }, /token/)
  const { name, requires, packages } = contentful(OPTIONS)
  t.match(
    { name, requires, packages },
    {
      name: 'contentful',
      requires: [{ name: 'CONTENTFUL_MANAGEMENT_TOKEN', secret: true }, { name: 'CONTENTFUL_URL' }],
      packages: ['contentful-management']
    }
  )
})
