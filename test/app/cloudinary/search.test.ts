import t from 'tap'
import type { CloudinaryClient } from '../../../app/cloudinary/client.ts'
import { contextOf, searchPage, searchPages } from '../../../app/cloudinary/search.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'

const never = new AbortController().signal
const { cloudinary, clients } = await buildCloudinary(t)
for (let index = 0; index < 7; index++) {
  cloudinary.as().upload({ publicId: `shoe-${index}`, tags: ['shoe'], context: { alt: 'a shoe' } })
}
const client = clients.for('demo', never)
const query = { expression: 'public_id:shoe*', sortBy: ['public_id', 'asc'] } as const

t.test('returns a page in order, with the requested fields', async (t) => {
  const { assets, nextCursor, allowance } = await searchPage(client, { ...query, withField: ['tags'] })
  t.strictSame(
    assets.map(({ public_id }) => public_id),
    Array.from({ length: 7 }, (_, index) => `shoe-${index}`)
  )
  t.strictSame(assets[0]?.tags, ['shoe'])
  t.equal(assets[0]?.context, undefined)
  t.equal(nextCursor, undefined)
  t.match(allowance, { limit: 500, remaining: Number, resetsAt: Date })
})

t.test('returns all pages, also from a cursor', async (t) => {
  const names = async (more: object) => {
    const pages: string[][] = []
    for await (const { assets } of searchPages(client, { ...query, pageSize: 3, ...more })) {
      pages.push(assets.map(({ public_id }) => public_id.slice(-1)))
    }
    return pages
  }
  t.strictSame(await names({}), [['0', '1', '2'], ['3', '4', '5'], ['6']])
  const { nextCursor: cursor } = await searchPage(client, { ...query, pageSize: 3 })
  t.strictSame(await names({ cursor }), [['3', '4', '5'], ['6']])
})

/** Builds a client whose searches get the given responses in order. */
function answering(...answers: object[]): CloudinaryClient {
  const search = {
    sort_by: () => search,
    max_results: () => search,
    with_field: () => search,
    next_cursor: () => search
  }
  const sdk = { search: { expression: () => ({ ...search, ...chain(search) }) } }
  function chain(target: object) {
    Object.assign(target, { execute: async () => answers.shift() })
    return target
  }
  return {
    call: (_name: string, invoke: (given: unknown, options: object) => unknown) => invoke(sdk, {})
  } as unknown as CloudinaryClient
}

const page = (remaining: number, next_cursor?: string) => ({
  resources: [],
  next_cursor,
  rate_limit_allowed: 500,
  rate_limit_remaining: remaining,
  rate_limit_reset_at: new Date('2026-06-01T13:00:00Z')
})

t.test('reserves a tenth of the hourly calls', async (t) => {
  let pages = 0
  const run = async () => {
    for await (const _ of searchPages(answering(page(51, 'a'), page(50, 'b'), page(49, 'c')), query)) pages++
  }
  await t.rejects(run(), {
    code: 'CLOUDINARY_ALLOWANCE_SPENT',
    message: /50 of 500 .*2026-06-01T13:00:00.000Z/,
    failure: { kind: 'rate-limited', until: new Date('2026-06-01T13:00:00Z') }
  })
  t.equal(pages, 2, 'returns the last page within the allowance')
})

t.test('returns the last page with any allowance', async (t) => {
  const pages: number[] = []
  for await (const { allowance } of searchPages(answering(page(0)), query)) pages.push(allowance!.remaining)
  t.strictSame(pages, [0])
})

t.test('continues if the allowance is not known', async (t) => {
  for (const odd of [{}, { rate_limit_allowed: Number.NaN }, { rate_limit_reset_at: new Date('never') }]) {
    const first = {
      ...page(0, 'a'),
      ...odd,
      ...(Object.keys(odd).length === 0 && { rate_limit_remaining: undefined })
    }
    let pages = 0
    for await (const { allowance } of searchPages(answering(first, {}), query)) {
      pages++
      t.equal(allowance, undefined)
    }
    t.equal(pages, 2)
  }
})

t.test('throws if Cloudinary rejects the search', async (t) => {
  await t.rejects(searchPage(client, { ...query, expression: 'public_id:(' }), {
    code: 'CLOUDINARY_REJECTED'
  })
})

t.test('drops invalid assets and limits', async (t) => {
  const good = { asset_id: '1', public_id: 'a', resource_type: 'image', type: 'upload', created_at: '2026' }
  const resources = [null, 1, 'a', [], {}, { ...good, asset_id: 2 }, good]
  const odd = { rate_limit_allowed: '500', rate_limit_remaining: null, rate_limit_reset_at: {} }
  t.strictSame(await searchPage(answering({ resources, next_cursor: null, ...odd }), query), {
    assets: [good],
    nextCursor: undefined,
    allowance: undefined
  })
  await t.rejects(searchPage(answering({ resources: 'none' }), query), { code: 'CLOUDINARY_ANSWER_INVALID' })
})

t.test('returns the context as in notifications', async (t) => {
  t.strictSame(contextOf({ context: { alt: 'a shoe' } }), { custom: { alt: 'a shoe' } })
  t.strictSame(contextOf({ context: { custom: 'made' } }), { custom: { custom: 'made' } })
  t.strictSame(contextOf({ context: { custom: { alt: 'a shoe' } } }), { custom: { alt: 'a shoe' } })
  t.strictSame(contextOf({}), { custom: {} })
})
