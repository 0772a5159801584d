import { z } from 'zod'
import type { CloudinaryClient } from './client.ts'
import { CloudinaryError } from './cloudinary-error.ts'
import { listOf, readResponse } from './response.ts'

/** An asset in the results of the Search API. Times are ISO 8601. */
export interface FoundAsset {
  asset_id: string
  public_id: string
  resource_type: string
  type: string
  /** Unix time, in seconds, of its last upload. */
  version?: number
  created_at: string
  uploaded_at?: string
  /** Times of the last changes: `updated_at`, `tags_updated_at`, `metadata_updated_at`, … */
  last_updated?: Record<string, string>
  tags?: string[]
  metadata?: Record<string, unknown>
  context?: Record<string, unknown>
  [field: string]: unknown
}

/**
 * Returns the context in the form of notifications, under `custom`. The Search API returns it without
 * `custom`.
 */
export const contextOf = ({ context = {} }: Pick<FoundAsset, 'context'>): Record<string, unknown> =>
  'custom' in context && typeof context.custom === 'object' ? context : { custom: context }

export interface SearchQuery {
  /** Source: https://cloudinary.com/documentation/search_expressions */
  expression: string
  sortBy: readonly [field: string, direction: 'asc' | 'desc']
  withField?: readonly string[]
  /** `nextCursor` of the previous page. */
  cursor?: string
  /** Assets per page, at most 500. (Default: 500) */
  pageSize?: number
}

/** Remaining calls to the Admin API in this hour. The limit is 500 on a free plan, 2,000 on a paid one. */
export interface Allowance {
  limit: number
  remaining: number
  resetsAt: Date
}

export interface SearchPage {
  assets: FoundAsset[]
  /** Undefined on the last page. */
  nextCursor: string | undefined
  /** Undefined if the response does not state it. */
  allowance: Allowance | undefined
}

/** Maximum number of assets per page. Set by Cloudinary. */
const MAX_PAGE_SIZE = 500

/** Share of the hourly calls that is reserved for other callers: people, other systems, `setup`. */
const RESERVED_SHARE = 0.1

const SearchResponse = z.object({
  resources: listOf<FoundAsset>(
    z.object({ asset_id: z.string(), public_id: z.string(), resource_type: z.string(), type: z.string() })
  ),
  next_cursor: z.string().nullish(),
  rate_limit_allowed: z.number().optional().catch(undefined),
  rate_limit_remaining: z.number().optional().catch(undefined),
  rate_limit_reset_at: z.union([z.date(), z.string()]).optional().catch(undefined)
})

/**
 * Fetches one page of a search with one call to the Admin API.
 *
 * @throws {CloudinaryError}
 */
export async function searchPage(client: CloudinaryClient, query: SearchQuery): Promise<SearchPage> {
  const { expression, sortBy, withField = [], cursor, pageSize = MAX_PAGE_SIZE } = query
  const response = await client.call('search', async (sdk, options) => {
    const search = sdk.search
      .expression(expression)
      .sort_by(...sortBy)
      .max_results(pageSize)
    for (const field of withField) search.with_field(field)
    if (cursor !== undefined) search.next_cursor(cursor)
    // the SDK's types lack the options
    return (search.execute as (given: object) => Promise<unknown>)(options)
  })
  const page = readResponse('search', response, SearchResponse)
  return {
    assets: page.resources,
    nextCursor: page.next_cursor ?? undefined,
    allowance: allowanceOf(page)
  }
}

/**
 * Fetches all pages of a search. Stops when only the reserved tenth of the hourly calls is left.
 *
 * @throws {CloudinaryError} CLOUDINARY_ALLOWANCE_SPENT, with the time at which the allowance resets; errors
 *   of failed calls
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
    if (cursor !== undefined) checkAllowance(page.allowance)
  } while (cursor !== undefined)
}

/**
 * Checks that the allowance permits another call. Call it before each new search.
 *
 * @throws {CloudinaryError} CLOUDINARY_ALLOWANCE_SPENT, with the time at which the allowance resets
 */
export function checkAllowance(allowance: Allowance | undefined): void {
  if (!allowance || allowance.remaining > allowance.limit * RESERVED_SHARE) return
  const { remaining, limit, resetsAt } = allowance
  throw new CloudinaryError(
    'CLOUDINARY_ALLOWANCE_SPENT',
    `${remaining} of ${limit} Admin API calls are left in this hour, and are reserved for other programs; ` +
      `run this again after ${resetsAt.toISOString()}`,
    { kind: 'rate-limited', until: resetsAt }
  )
}

function allowanceOf(page: z.infer<typeof SearchResponse>): Allowance | undefined {
  const { rate_limit_allowed: limit, rate_limit_remaining: remaining } = page
  const resetsAt = new Date(page.rate_limit_reset_at ?? Number.NaN)
  if (limit === undefined || remaining === undefined || Number.isNaN(resetsAt.getTime())) return undefined
  return { limit, remaining, resetsAt }
}
