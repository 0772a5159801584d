import type { FastifyInstance } from 'fastify'
import type { Asset } from './asset-store.ts'
import { type Cloud, cloudNamed } from './cloud.ts'
import { sendContent } from './download.ts'
import { setErrorFormat } from './intercept.ts'

export interface CdnOptions {
  clouds: ReadonlyMap<string, Cloud>
}

interface Path {
  cloud: string
  resource_type: string
  type: string
  '*': string
}

/**
 * Serves assets at `/CLOUD/RESOURCE_TYPE/TYPE/[SIGNATURE/][TRANSFORMATION/][vVERSION/]PUBLIC_ID[.FORMAT]`.
 * Ignores transformations, and also serves private assets.
 */
export async function cdnRoutes(app: FastifyInstance, { clouds }: CdnOptions): Promise<void> {
  setErrorFormat(app)

  app.get<{ Params: Path }>(
    '/:cloud/:resource_type(^(?:image|video|raw)$)/:type/*',
    async (request, reply) => {
      const { cloud, ...path } = request.params
      return sendContent(request, reply, assetAt(cloudNamed(clouds, cloud), path))
    }
  )
}

function assetAt({ assets }: Cloud, path: Omit<Path, 'cloud'>): Asset | undefined {
  const kind = { resourceType: path.resource_type, type: path.type }
  const whole = path['*']
  const names = [whole.replace(/^(?:.+?\/)??v\d+\//, ''), whole]
  return names
    .flatMap((name) => [name, name.replace(/\.[^./]+$/, '')])
    .map((name) => assets.find(name, kind))
    .find((asset) => asset !== undefined)
}
