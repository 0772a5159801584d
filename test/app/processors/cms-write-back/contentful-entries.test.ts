import t, { type Test } from 'tap'
import { createContentful } from '../../../../app/processors/cms-write-back/contentful-client.ts'
import {
  assetFieldsOf,
  ContentfulEntries
} from '../../../../app/processors/cms-write-back/contentful-entries.ts'
import { buildCms } from '../../../support/cms.ts'
import { picked, rename } from './fixtures.ts'

/** A stand-in with this number of articles, each with the asset `bag`. */
async function build(t: Test, count: number) {
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
  return { standIn, entries: new ContentfulEntries({ article: ['hero'] }, call), calls: standIn.faults.calls }
}

t.test('reads all pages once', async (t) => {
  const { entries, calls } = await build(t, 501)
  t.equal((await entries.find(rename)).length, 501)
  t.equal(calls.length, 2)
})

t.test('searches at the same time share a read', async (t) => {
  const { entries, calls } = await build(t, 1)
  const found = await Promise.all([1, 2, 3, 4].map(() => entries.find(rename)))
  t.strictSame(found, [['entry-0'], ['entry-0'], ['entry-0'], ['entry-0']])
  t.equal(calls.length, 1)
})

t.test('a search that begins during a read waits for the next one', async (t) => {
  const { entries, calls, standIn } = await build(t, 0)
  let later: Promise<string[]> | undefined
  standIn.faults.add({
    run: () => {
      later = entries.find(rename)
    }
  })
  await entries.find(rename)
  await later
  t.equal(calls.length, 2)
})

t.test('forgets an entry', async (t) => {
  const { entries } = await build(t, 1)
  await entries.find(rename)
  entries.remove('entry-0')
  t.strictSame(await new ContentfulEntries({}, () => Promise.reject()).find(rename), [])
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
  await t.rejects(entries.find(rename), { code: 'CMS_UNAVAILABLE' })
  t.strictSame(await entries.find(rename), ['entry-0'])
})
