import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError, rateLimited } from './api-error.ts'
import { detailsIn } from './asset-details.ts'
import { AssetEditor } from './asset-editor.ts'
import type { Asset } from './asset-store.ts'
import { resourceResponse } from './asset-view.ts'
import { basicCredentials, named } from './calls.ts'
import type { Cloud } from './cloud.ts'
import type { ApiOptions } from './intercept.ts'
import type { MetadataField } from './metadata-field-store.ts'
import { type SearchQuery, search } from './search-query.ts'
import { triggersApi } from './triggers-api.ts'
import { listOf, missing } from './values.ts'

const HOUR_MS = 3_600_000
/** Calls per hour, as on a free plan. */
const CALLS_PER_HOUR = 500
const DELETE_LIMIT = 100

/**
 * The Admin API, `/v1_1/:cloud/…`, with HTTP basic authentication.
 *
 * Source: https://cloudinary.com/documentation/admin_api
 */
export async function adminApi(
  app: FastifyInstance,
  { tools, adminCallsPerHour }: Pick<ApiOptions, 'tools' | 'adminCallsPerHour'>
): Promise<void> {
  app.addHook('preHandler', async (request) => {
    request.standIn.caller = authenticate(request, request.standIn.cloud)
  })

  const limit = adminCallsPerHour ?? CALLS_PER_HOUR
  const usage = new Map<Cloud, { hour: number; used: number }>()
  app.addHook('preHandler', async ({ standIn: { cloud } }, reply) => {
    const hour = Math.floor(tools.clock() / HOUR_MS)
    const before = usage.get(cloud)
    const used = before?.hour === hour ? before.used + 1 : 1
    usage.set(cloud, { hour, used })
    const resetsAt = (hour + 1) * HOUR_MS
    reply.headers({
      'x-featureratelimit-limit': limit,
      'x-featureratelimit-remaining': Math.max(0, limit - used),
      'x-featureratelimit-reset': new Date(resetsAt).toUTCString()
    })
    // without the option, the limit is only reported
    if (adminCallsPerHour !== undefined && used > limit) throw rateLimited(limit, resetsAt)
  })

  await app.register(triggersApi, { tools })

  app.get('/ping', named('ping'), async () => ({ status: 'ok' }))

  app.get('/usage', named('usage'), async ({ standIn: { cloud } }) => ({
    plan: 'Free',
    resources: cloud.assets.all().length
  }))

  app.get<{ Params: { asset_id: string } }>(
    '/resources/:asset_id',
    named('resource_by_asset_id'),
    async ({ params, standIn: { cloud } }) => {
      return resourceResponse(known(cloud.assets.findById(params.asset_id), params.asset_id), cloud)
    }
  )

  app.get<{ Params: { resource_type: string; type: string; '*': string } }>(
    '/resources/:resource_type/:type/*',
    named('resource'),
    async ({ params, standIn: { cloud } }) => {
      const { resource_type: resourceType, type, '*': publicId } = params
      return resourceResponse(known(cloud.assets.find(publicId, { resourceType, type }), publicId), cloud)
    }
  )

  app.post<{ Params: { resource_type: string; type: string; '*': string } }>(
    '/resources/:resource_type/:type/*',
    named('update'),
    async ({ params, standIn: { cloud, caller, form } }) => {
      const { resource_type: resourceType, type, '*': publicId } = params
      const changes = new AssetEditor(cloud, { source: 'api', id: caller }, tools)
      const [asset] = changes.changeDetails(publicId, detailsIn(form.values), { resourceType, type })
      return resourceResponse(known(asset, publicId), cloud)
    }
  )

  app.delete<{ Params: { resource_type: string; type: string } }>(
    '/resources/:resource_type/:type',
    named('delete_resources'),
    async ({ params, standIn: { cloud, caller, form } }) => {
      const publicIds = listOf(form.values, 'public_ids')
      if (publicIds.length === 0) throw missing('public_ids')
      if (publicIds.length > DELETE_LIMIT)
        throw new ApiError(400, `Too many public IDs: at most ${DELETE_LIMIT}`)
      const kind = { resourceType: params.resource_type, type: params.type }
      const destroyed = new AssetEditor(cloud, { source: 'api', id: caller }, tools).destroy(publicIds, kind)
      const deleted = new Set(destroyed.map(({ publicId }) => publicId))
      const counts = destroyed.map((asset) => [
        asset.publicId,
        { original: 1, derived: asset.derived.length }
      ])
      return {
        deleted: Object.fromEntries(publicIds.map((id) => [id, deleted.has(id) ? 'deleted' : 'not_found'])),
        deleted_counts: Object.fromEntries(counts),
        partial: false
      }
    }
  )

  app.post('/resources/search', named('search'), async ({ body, standIn: { cloud } }) =>
    search(cloud, (body ?? {}) as SearchQuery, tools.clock())
  )

  app.get('/metadata_fields', named('list_metadata_fields'), async ({ standIn }) => ({
    metadata_fields: standIn.cloud.metadataFields.list()
  }))

  app.post('/metadata_fields', named('add_metadata_field'), async ({ body, standIn: { cloud } }) =>
    cloud.metadataFields.create(body as Partial<MetadataField>)
  )

  const path = '/metadata_fields/:external_id'
  type One = { Params: { external_id: string } }
  app.get<One>(path, named('metadata_field_by_field_id'), async ({ params, standIn }) =>
    standIn.cloud.metadataFields.get(params.external_id)
  )

  app.put<One>(path, named('update_metadata_field'), async ({ params, body, standIn: { cloud } }) =>
    cloud.metadataFields.update(params.external_id, body as Partial<MetadataField>)
  )

  app.delete<One>(path, named('delete_metadata_field'), async ({ params, standIn: { cloud } }) => {
    cloud.metadataFields.delete(params.external_id)
    const assets = cloud.assets.all()
    for (const asset of assets) delete asset.metadata[params.external_id]
    cloud.index(assets, tools.clock())
    return { message: 'ok' }
  })
}

/** Verifies the credentials of a call and returns its API key. @throws {ApiError} 401 */
export function authenticate(request: FastifyRequest, cloud: Cloud): string {
  const given = basicCredentials(request)
  if (!given) throw new ApiError(401, 'Must provide basic authentication')
  const secret = cloud.secretOf(given.apiKey)
  if (secret === undefined) throw new ApiError(401, 'unknown api_key')
  if (secret !== given.apiSecret) throw new ApiError(401, 'api_secret mismatch')
  return given.apiKey
}

function known(asset: Asset | undefined, name: string): Asset {
  if (!asset) throw new ApiError(404, `Resource not found - ${name}`)
  return asset
}
