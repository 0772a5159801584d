import t, { type Test } from 'tap'
import { createContentful } from '../../../../app/processors/cms-write-back/contentful-client.ts'
import {
  assetFieldsOf,
  ContentfulEntries
} from '../../../../app/processors/cms-write-back/contentful-entries.ts'
import { buildCms } from '../../../support/cms.ts'
import { picked, RENAMED, rename } from './fixtures.ts'

/** Before the entries were written. */
const BEFORE = '2026-01-01T00:00:00Z'

/** A stand-in with this number of articles, each with the asset `bag`. */
async function build(t: Test, count: number, clock?: () => number) {
  const { contentful: standIn, url } = await buildCms(t)
  const call = await createContentful({
    token: 'local-contentful-token',
    url: `${url}/contentful/`,
    space: 'local',
    environment: 'master',
    timeoutMs: 5000
  })
  for (let index = 0; index < count; index++) {
    standIn.create(`entry-${index}`, 'article', { hero: { de: [picked('bag')] } })
  }
  const entries = new ContentfulEntries({ article: ['hero'] }, call, clock)
  return { standIn, entries, calls: standIn.faults.calls }
}

t.test('reads all pages once', async (t) => {
  const { entries, calls } = await build(t, 201)
  t.equal((await entries.find(rename, BEFORE)).length, 201)
  t.equal(calls.length, 3)
})

t.test('reads fewer entries at a time if a page is too large', async (t) => {
  const { entries, calls, standIn } = await build(t, 60)
  // between 13 and 25 entries of this test
  standIn.maximumBytes = 7000
  t.equal((await entries.find(rename, BEFORE)).length, 60)
  t.equal(calls.length, 8, 'three that are too large, five of 13 entries at most')
  await entries.find(rename, BEFORE)
  t.equal(calls.length, 13, 'keeps the smaller pages')
  standIn.maximumBytes = 10
  await t.rejects(entries.find(rename, BEFORE), { code: 'CMS_REJECTED', message: /Response size too big/ })
})

t.test('a read of many pages that failed resumes', async (t) => {
  const { entries, calls, standIn } = await build(t, 401)
  standIn.faults.add({
    count: 4,
    run: () => {
      if (calls.length === 4) standIn.faults.add({ status: 503 })
    }
  })
  await t.rejects(entries.find(rename, BEFORE), { code: 'CMS_UNAVAILABLE' })
  const before = calls.length
  // entries that were read are deleted, which moves the others to earlier pages
  for (const id of ['entry-0', 'entry-1']) standIn.delete(id)
  t.equal((await entries.find(rename, BEFORE)).length, 401, 'an update forgets those that are deleted')
  t.equal(calls.length - before, 1)
})

t.test('finds what changed in an earlier page while a long read went on', async (t) => {
  let now = Date.parse('2026-06-01T12:00:00Z')
  const { entries, standIn } = await build(t, 0, () => now)
  const entry = (id: string, publicId: string, at: number) => {
    const { sys } = standIn.create(id, 'article', { hero: { de: [picked(publicId)] } })
    sys.updatedAt = new Date(at).toISOString()
  }
  for (let index = 0; index < 101; index++) entry(`e-${String(index).padStart(3, '0')}`, 'hat', now - 1000)
  standIn.faults.add({})
  standIn.faults.add({
    count: 2,
    run: () => {
      // once the first page was read
      if (standIn.faults.calls.length !== 2) return
      entry('e-000', 'bag', now + 60_000)
      entry('e-100', 'hat', now + 1_200_000)
      now += 1_260_000
    }
  })
  t.strictSame(await entries.find(rename, BEFORE), [])
  t.strictSame(await entries.find(rename, BEFORE), ['e-000'])
})

t.test('leaves out entries that are up to date, and archived ones', async (t) => {
  const { entries, standIn } = await build(t, 2)
  standIn.create('done', 'article', { hero: { de: [RENAMED] } })
  standIn.entry('entry-1')!.sys.archivedVersion = 1
  t.strictSame(await entries.find(rename, BEFORE), ['entry-0'])
})

t.test('does not leave out an entry that another worker may have written since', async (t) => {
  const { entries, standIn } = await build(t, 0)
  const { sys } = standIn.create('a', 'article', { hero: { de: [RENAMED] } })
  t.strictSame(await entries.find(rename, BEFORE), [])
  t.strictSame(await entries.find(rename, sys.updatedAt), ['a'])
  t.strictSame(await entries.find(rename, new Date(Date.parse(sys.updatedAt) - 59_000).toISOString()), ['a'])
})

t.test('searches at the same time share a read', async (t) => {
  const { entries, calls } = await build(t, 1)
  const found = await Promise.all([1, 2, 3, 4].map(() => entries.find(rename, BEFORE)))
  t.strictSame(found, [['entry-0'], ['entry-0'], ['entry-0'], ['entry-0']])
  t.equal(calls.length, 1)
})

t.test('a search that begins during a read waits for the next one', async (t) => {
  const { entries, calls, standIn } = await build(t, 0)
  let later: Promise<string[]> | undefined
  standIn.faults.add({
    run: () => {
      later = entries.find(rename, BEFORE)
    }
  })
  await entries.find(rename, BEFORE)
  await later
  t.equal(calls.length, 2)
})

t.test('forgets an entry', async (t) => {
  const { entries } = await build(t, 1)
  await entries.find(rename, BEFORE)
  entries.remove('entry-0')
  t.strictSame(await new ContentfulEntries({}, () => Promise.reject()).find(rename, BEFORE), [])
})

t.test('reads the fields of known content types that an entry has', async (t) => {
  const { standIn } = await build(t, 1)
  const entry = standIn.entry('entry-0') as never
  t.strictSame(Object.keys(assetFieldsOf(entry, { article: ['hero', 'gallery'] })), ['hero'])
  t.strictSame(assetFieldsOf(entry, { page: ['hero'] }), {})
})

t.test('a failed read is made again', async (t) => {
  const { entries, standIn } = await build(t, 1)
  standIn.faults.add({ status: 500 })
  await t.rejects(entries.find(rename, BEFORE), { code: 'CMS_UNAVAILABLE' })
  t.strictSame(await entries.find(rename, BEFORE), ['entry-0'])
})
