import t from 'tap'
import { Cloud } from '../../../dev/cloudinary/cloud.ts'
import { type SearchQuery, search } from '../../../dev/cloudinary/search-query.ts'
import { assetWith } from './fixtures.ts'
import { environment } from './sdk.ts'

const SECOND = 1000

function cloudOf(count: number): Cloud {
  const cloud = new Cloud(environment)
  for (let number = 1; number <= count; number += 1) {
    const time = number * SECOND
    cloud.assets.add(
      assetWith({
        assetId: String(number).padStart(32, '0'),
        publicId: `a${number}`,
        tags: number % 2 ? ['odd'] : [],
        metadata: number === 1 ? { sku: 'first' } : {},
        context: number === 2 ? { alt: 'second' } : {},
        createdAt: time,
        lastUpdated: { updatedAt: time, ...(number === 3 && { tagsUpdatedAt: time }) }
      })
    )
  }
  return cloud
}

interface Answer {
  total_count: number
  next_cursor?: string
  resources: Record<string, unknown>[]
}

const ask = (cloud: Cloud, query: SearchQuery) => search(cloud, query, 0) as Answer
const names = ({ resources }: Answer) => resources.map(({ public_id }) => public_id)

t.test('returns matching assets, newest first', async (t) => {
  const cloud = cloudOf(3)
  t.same(names(ask(cloud, {})), ['a3', 'a2', 'a1'])
  t.same(names(ask(cloud, { expression: 'tags:odd' })), ['a3', 'a1'])
  t.same(names(ask(cloud, { expression: 'metadata.sku=first' })), ['a1'])
  t.same(names(ask(cloud, { expression: 'context.alt:second' })), ['a2'])
  t.same(names(ask(cloud, { expression: 'last_updated.tags_updated_at>=0d' })), ['a3'])
  t.same(names(ask(cloud, { expression: 'last_updated.updated_at>"1970-01-01T00:00:01Z"' })), ['a3', 'a2'])
  for (const unknown of ['nope', 'nope.a', 'toString', 'last_updated.nope']) {
    t.equal(ask(cloud, { expression: `${unknown}:1` }).total_count, 0, unknown)
  }
})

t.test('returns tags, context and metadata only on request', async (t) => {
  const cloud = cloudOf(1)
  const [plain] = ask(cloud, {}).resources
  t.notOk('tags' in plain! || 'metadata' in plain! || 'context' in plain!)
  t.match(plain, { created_at: '1970-01-01T00:00:01+00:00', last_updated: { updated_at: /\+00:00$/ } })
  t.match(ask(cloud, { with_field: ['tags', 'metadata', 'context'] }).resources, [
    { tags: ['odd'], metadata: { sku: 'first' }, context: {} }
  ])
  t.match(ask(cloud, { with_field: 'tags' }).resources, [{ tags: ['odd'] }])
})

t.test('returns each asset once, although assets are added and deleted between pages', async (t) => {
  const cloud = cloudOf(5)
  const query: SearchQuery = { sort_by: [{ 'last_updated.updated_at': 'asc' }], max_results: 2 }
  const first = ask(cloud, query)
  t.same(names(first), ['a1', 'a2'])
  t.equal(first.total_count, 5)
  cloud.assets.remove(cloud.assets.find('a1')!)
  const second = ask(cloud, { ...query, next_cursor: first.next_cursor })
  t.same(names(second), ['a3', 'a4'])
  const third = ask(cloud, { ...query, next_cursor: second.next_cursor })
  t.same(names(third), ['a5'])
  t.notOk('next_cursor' in third)
})

t.test('sorts assets without a value last, and breaks ties by asset ID', async (t) => {
  const cloud = cloudOf(3)
  t.same(names(ask(cloud, { sort_by: [{ 'metadata.sku': 'desc' }] })), ['a1', 'a2', 'a3'])
  t.same(names(ask(cloud, { sort_by: [{ 'context.alt': 'asc' }, { public_id: 'desc' }] })), [
    'a2',
    'a3',
    'a1'
  ])
  const twins = new Cloud(environment)
  const asset = assetWith()
  twins.assets.add(asset)
  twins.assets.add(asset)
  t.equal(ask(twins, {}).total_count, 1)
})

t.test('returns 50 results a page by default, and 500 at most', async (t) => {
  const cloud = cloudOf(60)
  t.equal(ask(cloud, {}).resources.length, 50)
  t.equal(ask(cloud, { max_results: '500' }).resources.length, 60)
  t.throws(() => ask(cloud, { max_results: 501 }), { name: 'ApiError', status: 400 })
  t.throws(() => ask(cloud, { max_results: 0 }), { name: 'ApiError', status: 400 })
})

t.test('refuses a cursor of another search', async (t) => {
  const cloud = cloudOf(3)
  const { next_cursor } = ask(cloud, { max_results: 1 })
  const sort_by: SearchQuery['sort_by'] = [{ bytes: 'asc' }, { width: 'asc' }]
  t.throws(() => ask(cloud, { sort_by, next_cursor }), { name: 'ApiError', status: 400 })
  t.throws(() => ask(cloud, { next_cursor: 'zz' }), { name: 'ApiError', status: 400 })
})
