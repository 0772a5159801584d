import type { Asset, Fields } from './notification-bodies.ts'

/**
 * Answers a search by the time of a change, as `reconcile` makes it. An asset whose change is newer than
 * `indexedUntil` is not found by it yet.
 */
export function searchAssets(assets: readonly Asset[], query: Fields, indexedUntil: number): object {
  const { expression, max_results: maximum = 50, next_cursor: cursor = '0' } = query
  const match = /^([\w.]+)>="([^"]+)" AND [\w.]+<="([^"]+)"$/.exec(String(expression))
  if (!match) throw { http_code: 400, message: 'Invalid expression' }
  const [, field = '', from = '', until = ''] = match
  const timeOf = (asset: Asset) =>
    field.split('.').reduce<unknown>((value, name) => (value as Fields)?.[name], asset)
  const found = assets
    .map((asset) => ({ asset, at: Date.parse(String(timeOf(asset) || '')) }))
    .filter(({ at }) => at <= indexedUntil && at >= Date.parse(from) && at < Date.parse(until) + 1000)
    .sort((a, b) => a.at - b.at)
  const start = Number(cursor)
  const page = found.slice(start, start + Number(maximum))
  const isMore = start + page.length < found.length
  return {
    resources: page.map(
      ({ asset: { previousMetadata: _, previousPublicId: __, tagChange: ___, ...asset } }) => ({
        ...asset,
        last_updated: { ...asset.last_updated }
      })
    ),
    ...(isMore && { next_cursor: String(start + page.length) }),
    rate_limit_allowed: 500,
    rate_limit_remaining: 400,
    rate_limit_reset_at: new Date(indexedUntil + 3_600_000).toISOString()
  }
}
