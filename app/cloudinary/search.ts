import { z } from 'zod'
import type { CloudinaryClient } from './client.ts'
import { CloudinaryError } from './cloudinary-error.ts'
import { listOf, readAnswer } from './response.ts'

/** An asset as the Search API finds it; times are ISO 8601. */
export interface FoundAsset {
  asset_id: string
  public_id: string
  resource_type: string
  type: string
  /** Unix time, in seconds, of its last upload. */
  version?: number
  created_at: string
  uploaded_at?: string
  /** When its sides last changed: `updated_at`, `tags_updated_at`, `metadata_updated_at`, `context_updated_at`, … */
  last_updated?: Record<string, string>
  tags?: string[]
  metadata?: Record<string, unknown>
  context?: Record<string, unknown>
  [field: string]: unknown
}

export interface SearchQuery {
  /** Source: https://cloudinary.com/documentation/search_expressions */
  expression: string
  sortBy: readonly [field: string, direction: 'asc' | 'desc']
  withField?: readonly string[]
  /** Where an earlier search left off. */
  cursor?: string
  /** At most 500, which is also the default. */
  pageSize?: number
}

/** What is left of the Admin API's calls in this hour: 500 in all on a free plan, 2,000 on a paid one. */
export interface Allowance {
  limit: number
  remaining: number
  resetsAt: Date
}

export interface SearchPage {
  assets: FoundAsset[]
  /** Undefined on the last page. */
  nextCursor: string | undefined
  /** Undefined where Cloudinary does not say. */
  allowance: Allowance | undefined
}

/** Cloudinary's own limit. */
const LARGEST_PAGE = 500

/** Of the hourly calls so many, as a share, are left to others: people, other systems, `setup`. */
const RESERVED_SHARE = 0.1

const Answer = z.object({
  resources: listOf<FoundAsset>(
    z.object({ asset_id: z.string(), public_id: z.string(), resource_type: z.string(), type: z.string() })
  ),
  next_cursor: z.string().nullish(),
  rate_limit_allowed: z.number().optional().catch(undefined),
  rate_limit_remaining: z.number().optional().catch(undefined),
  rate_limit_reset_at: z.union([z.date(), z.string()]).optional().catch(undefined)
})

/**
 * One page of a search: one call of the Admin API.
 *
 * @throws {CloudinaryError}
 */
export async function searchPage(client: CloudinaryClient, query: SearchQuery): Promise<SearchPage> {
  const { expression, sortBy, withField = [], cursor, pageSize = LARGEST_PAGE } = query
  const answer = await client.call('search', async (sdk, options) => {
    const search = sdk.search
      .expression(expression)
      .sort_by(...sortBy)
      .max_results(pageSize)
    for (const field of withField) search.with_field(field)
    if (cursor !== undefined) search.next_cursor(cursor)
    // its types know of no options
    return (search.execute as (given: object) => Promise<unknown>)(options)
  })
  const page = readAnswer('search', answer, Answer)
  return {
    assets: page.resources,
    nextCursor: page.next_cursor ?? undefined,
    allowance: allowanceOf(page)
  }
}

/**
 * All pages of a search. It stops before the hour's calls are spent: a tenth of them is left to others.
 *
 * @throws {CloudinaryError} CLOUDINARY_ALLOWANCE_SPENT, with the time at which there are calls again, before the
 *   page that would go too far; what a failed call throws
 */
export async function* searchPages(
  client: CloudinaryClient,
  query: SearchQuery
): AsyncGenerator<SearchPage, void, void> {
  let { cursor } = query
  do {
    const page = await searchPage(client, { ...query, ...(cursor !== undefined && { cursor }) })
    yield page
    cursor = page.nextCursor
    if (cursor !== undefined) leaveSome(page.allowance)
  } while (cursor !== undefined)
}

/**
 * To be called before a page that is a search of its own.
 *
 * @throws {CloudinaryError} CLOUDINARY_ALLOWANCE_SPENT, with the time at which there are calls again
 */
export function leaveSome(allowance: Allowance | undefined): void {
  if (!allowance || allowance.remaining > allowance.limit * RESERVED_SHARE) return
  const { remaining, limit, resetsAt } = allowance
  throw new CloudinaryError(
    'CLOUDINARY_ALLOWANCE_SPENT',
    `${remaining} of the ${limit} Admin API calls of this hour are left, and they are kept for others; ` +
      `go on after ${resetsAt.toISOString()}`,
    { kind: 'rate-limited', until: resetsAt }
  )
}

function allowanceOf(page: z.infer<typeof Answer>): Allowance | undefined {
  const { rate_limit_allowed: limit, rate_limit_remaining: remaining } = page
  const resetsAt = new Date(page.rate_limit_reset_at ?? Number.NaN)
  if (limit === undefined || remaining === undefined || Number.isNaN(resetsAt.getTime())) return undefined
  return { limit, remaining, resetsAt }
}
