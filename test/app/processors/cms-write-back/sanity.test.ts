import t, { type Test } from 'tap'
import { AssetChange } from '../../../../app/processors/cms-write-back/asset-change.ts'
import { sanity } from '../../../../app/processors/cms-write-back/sanity.ts'
import { buildCms, cmsConfig, cmsVariables } from '../../../support/cms.ts'
import { QUIET } from '../../../support/operator.ts'
import { contextOf, deletion, picked, RENAMED, rename } from './fixtures.ts'

const OPTIONS = {
  projectId: 'local',
  dataset: 'production',
  documentTypes: { article: ['hero', 'gallery[]'] }
}

/** A started CMS, whose stand-in has the article `a` with the asset `bag`. */
async function build(t: Test, options: Partial<Parameters<typeof sanity>[0]> = {}) {
  const { sanity: standIn, url } = await buildCms(t)
  const cms = sanity({ ...OPTIONS, ...options })
  await cms.start?.({ config: cmsConfig(cms, url), log: QUIET })
  const put = (_id: string, fields: object) => standIn.put({ _id, _type: 'article', ...fields })
  put('a', { title: 'A', hero: picked('bag'), gallery: [picked('hat'), picked('bag', { _key: 'k' })] })
  const context = contextOf()
  const write = async (change: AssetChange = rename) => {
    const outcomes: string[] = []
    for (const found of await cms.find(change, context))
      outcomes.push(await cms.update(found, change, context))
    return outcomes
  }
  return { standIn, url, cms, context, put, write, calls: standIn.faults.calls }
}

t.test('updates a published document, in two calls', async (t) => {
  const { standIn, write, calls } = await build(t)
  t.strictSame(await write(), ['published'])
  t.match(standIn.document('a'), {
    title: 'A',
    hero: RENAMED,
    gallery: [picked('hat'), { ...RENAMED, _key: 'k' }]
  })
  t.strictSame(calls, ['search', 'mutate'])
  const revision = standIn.document('a')?._rev
  t.strictSame(await write(), ['unchanged'])
  t.equal(standIn.document('a')?._rev, revision)
})

t.test('updates drafts and versions too, and keeps their changes', async (t) => {
  const { standIn, write, put } = await build(t)
  put('drafts.a', { title: 'B', hero: picked('bag') })
  put('versions.summer.a', { title: 'C', hero: picked('bag') })
  t.strictSame(await write(), ['published', 'updated', 'updated'])
  t.match(standIn.document('drafts.a'), { title: 'B', hero: RENAMED })
  t.match(standIn.document('versions.summer.a'), { title: 'C', hero: RENAMED })
})

t.test('without `publish`, creates a draft', async (t) => {
  const { standIn, write } = await build(t, { publish: false })
  t.strictSame(await write(), ['updated'])
  t.match(standIn.document('a'), { hero: picked('bag') })
  t.match(standIn.document('drafts.a'), { title: 'A', hero: RENAMED })
  t.strictSame(await write(), ['updated', 'unchanged'])
})

t.test('removes a deleted asset', async (t) => {
  const { standIn, write } = await build(t)
  t.strictSame(await write(deletion), ['published'])
  t.match(standIn.document('a'), { title: 'A', hero: undefined, gallery: [picked('hat')] })
})

t.test('finds by asset id', async (t) => {
  const { standIn, write, put } = await build(t)
  put('a', { hero: picked('any', { asset_id: 'a1' }) })
  t.strictSame(await write(), ['published'])
  t.match(standIn.document('a'), { hero: { public_id: 'shop/bag' } })
})

t.test('finds by name if the event states no asset id', async (t) => {
  const { cms, context, standIn } = await build(t)
  const { names, state } = rename
  const [found] = await cms.find(new AssetChange({ assetId: undefined, names }, state), context)
  t.equal(await cms.update(found!, rename, context), 'published')
  t.match(standIn.document('a'), { hero: RENAMED })
})

t.test('ignores other kinds of the same public id', async (t) => {
  const { write, put } = await build(t)
  put('a', { hero: picked('bag', { resource_type: 'video' }) })
  t.strictSame(await write(), [])
})

t.test('keeps what an editor changes between read and write', async (t) => {
  const { standIn, write, put, calls } = await build(t)
  standIn.faults.add({ action: 'mutate', run: () => put('a', { title: 'B', hero: picked('bag') }) })
  t.strictSame(await write(), ['published'])
  t.match(standIn.document('a'), { title: 'B', hero: RENAMED })
  t.strictSame(calls, ['search', 'mutate', 'read document', 'mutate'])
})

t.test('gives up on a document that changes all the time, and forgets a deleted one', async (t) => {
  const { standIn, write, put } = await build(t)
  standIn.faults.add({ action: 'mutate', count: 9, run: () => put('a', { hero: picked('bag') }) })
  await t.rejects(write(), { code: 'CMS_CONFLICT' })
  const other = await build(t)
  other.standIn.faults.add({
    action: 'mutate',
    run: () => {
      other.put('a', {})
    }
  })
  other.standIn.faults.add({ action: 'read document', run: () => other.standIn.delete('a') })
  t.strictSame(await other.write(), ['unchanged'])
  const third = await build(t)
  third.standIn.faults.add({ action: 'mutate', run: () => third.standIn.delete('a') })
  t.strictSame(await third.write(), ['unchanged'])
})

t.test('maps errors, without retries and without the request', async (t) => {
  const { standIn, write, url, cms } = await build(t)
  for (const [status, code] of [
    [429, 'CMS_UNAVAILABLE'],
    [500, 'CMS_UNAVAILABLE'],
    [403, 'CMS_UNAUTHORIZED'],
    [400, 'CMS_REJECTED']
  ] as const) {
    standIn.faults.add({ status })
    await t.rejects(write(), { code, message: /^Sanity: search documents: / })
  }
  t.equal(standIn.faults.calls.length, 4)
  standIn.faults.add({ kind: 'reset' })
  await t.rejects(write(), { code: 'CMS_UNAVAILABLE' })
  const config = { ...cmsVariables(cms, url), SANITY_TOKEN: 'wrong-sanity-token' } as never
  await cms.start?.({ config, log: QUIET })
  await t.rejects(write(), {
    code: 'CMS_UNAUTHORIZED',
    message: /^Sanity: search documents: 401 (?!.*wrong-sanity)/
  })
})

t.test('aborts with the signal', async (t) => {
  const { cms, standIn, context } = await build(t)
  const ending = new AbortController()
  standIn.faults.add({ kind: 'hang', run: () => ending.abort(new Error('stops')) })
  await t.rejects(cms.find(rename, contextOf(ending.signal)))
  const [found] = await cms.find(rename, context)
  await t.rejects(cms.update(found!, rename, contextOf(ending.signal)), { message: 'stops' })
})

t.test('checks that it finds documents', async (t) => {
  const { cms, url } = await build(t)
  const { signal } = new AbortController()
  const context = { config: cmsConfig(cms, url), log: QUIET, signal }
  t.match(await cms.check?.(context), [{ level: 'ok', message: /2 documents/ }])
  const other = sanity({ ...OPTIONS, documentTypes: { page: ['hero'] } })
  t.match(await other.check?.(context), [{ level: 'warning', message: /0 documents of type page/ }])
})

t.test('calls the host of the project by default', async (t) => {
  const cms = sanity({ ...OPTIONS, projectId: 'invalid-' })
  await cms.start?.({ config: { SANITY_TOKEN: 'x' } as never, log: QUIET })
  t.match(cms, {
    name: 'sanity',
    packages: ['@sanity/client'],
    requires: [{ name: 'SANITY_TOKEN', secret: true }, {}]
  })
})

t.test('rejects invalid options', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => sanity({ ...OPTIONS, ...options }), { code: 'LISTENER_CONFIG_INVALID', message })
  refused({ projectId: 'A/b' }, /^sanity: projectId: /)
  refused({ dataset: '' }, /dataset: /)
  refused({ documentTypes: {} }, /documentTypes: name at least one/)
  refused({ documentTypes: { 'a"': ['hero'] } }, /documentTypes/)
  for (const path of ['', 'a..b', 'a[', 'a[0]', 'a == b']) {
    refused({ documentTypes: { article: [path] } }, /documentTypes\.article\.0: a path is/)
  }
})
