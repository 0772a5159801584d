import type { FastifyInstance } from 'fastify'
import { ApiError } from './api-error.ts'
import { AssetEditor, type Tools } from './asset-editor.ts'
import { resourceResponse, uploadResponse } from './asset-view.ts'
import type { Call } from './calls.ts'
import { type Cloud, cloudNamed } from './cloud.ts'
import type { DefaultTriggers } from './default-triggers.ts'
import { type Drops, parseDrop } from './drops.ts'
import { editApi } from './edit-api.ts'
import { type Faults, parseFault } from './faults.ts'
import { readForm } from './form.ts'
import { setErrorFormat } from './intercept.ts'
import type { Recorder } from './recorder.ts'
import type { SignatureAlgorithm } from './request-signature.ts'
import { commaListOf, pairsOf, requiredText, textOf } from './values.ts'

export interface ControlOptions {
  clouds: ReadonlyMap<string, Cloud>
  tools: Tools
  algorithm: SignatureAlgorithm
  faults: Faults
  drops: Drops
  defaults: DefaultTriggers
  calls: Recorder<Call>
}

const DEFAULT_LIMIT = 1000

/**
 * Controls of the stand-in, which Cloudinary does not have: `/_standin/…`, as a form or JSON, without
 * authentication.
 */
export async function controlApi(app: FastifyInstance, options: ControlOptions): Promise<void> {
  const { clouds, tools, algorithm, faults, drops, calls, defaults } = options

  setErrorFormat(app)

  app.get<{ Querystring: { cloud?: string } }>('/assets', async ({ query }) => {
    const cloud = cloudNamed(clouds, query.cloud)
    return cloud.assets.all().map((asset) => resourceResponse(asset, cloud))
  })

  app.get<{ Querystring: { limit?: string } }>('/calls', async ({ query }) =>
    newest(calls.items, query.limit)
  )

  app.get<{ Querystring: { limit?: string } }>('/deliveries', async ({ query }) =>
    // headers hold signatures
    newest(tools.notifier.deliveries.items, query.limit).map(({ headers, ...delivery }) => delivery)
  )

  /** Responds once no delivery is in flight and no retry is pending. */
  app.get('/idle', async () => {
    await tools.notifier.idle()
    return { idle: true }
  })

  app.post('/faults', async ({ body }) => {
    const fault = parseFault((body ?? {}) as Record<string, unknown>)
    faults.add(fault)
    return { added: fault }
  })

  app.delete('/faults', async () => {
    faults.clear()
    return { cleared: true }
  })

  /** Drops notifications without an attempt, by `notification_type` and `count`. */
  app.post('/drops', async ({ body }) => {
    const drop = parseDrop((body ?? {}) as Record<string, unknown>)
    drops.add(drop)
    return { added: drop }
  })

  app.delete('/drops', async () => {
    drops.clear()
    return { cleared: true }
  })

  app.put('/notification_url', async (request) => {
    const url = requiredText((await readForm(request)).values, 'url')
    if (!URL.canParse(url)) throw new ApiError(400, `${url} is not a URL`)
    defaults.pointTo(url)
    return { url }
  })

  await app.register(editApi, { clouds, tools })

  /**
   * Uploads with a colleague's key: a file, the text `content`, or one red pixel by default. `bytes` declares
   * another size.
   */
  app.post('/upload', async (request) => {
    const { values, file } = await readForm(request)
    const cloud = cloudNamed(clouds, textOf(values, 'cloud'))
    const [{ apiKey }] = cloud.foreign
    const bytes = textOf(values, 'bytes')
    if (bytes !== undefined && !/^\d+$/.test(bytes)) {
      throw new ApiError(400, `Invalid value ${bytes} for parameter bytes`)
    }
    const { asset, ...flags } = new AssetEditor(cloud, { source: 'api', id: apiKey }, tools).upload({
      publicId: textOf(values, 'public_id'),
      resourceType: textOf(values, 'resource_type'),
      assetFolder: textOf(values, 'asset_folder'),
      content: file?.bytes ?? textOf(values, 'content'),
      tags: commaListOf(values, 'tags'),
      metadata: pairsOf(values, 'metadata'),
      context: pairsOf(values, 'context'),
      ...(bytes !== undefined && { media: { bytes: Number(bytes) } })
    })
    return { ...uploadResponse(asset, cloud, { apiKey, algorithm }), ...flags }
  })
}

function newest<T>(items: T[], limit = String(DEFAULT_LIMIT)): T[] {
  return items.slice(-Math.max(1, Number(limit) || DEFAULT_LIMIT))
}
