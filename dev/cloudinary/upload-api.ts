import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError } from './api-error.ts'
import { detailsIn } from './asset-details.ts'
import { AssetEditor } from './asset-editor.ts'
import type { Asset, Kind } from './asset-store.ts'
import { resourceResponse, uploadResponse } from './asset-view.ts'
import { named } from './calls.ts'
import { sendContent } from './download.ts'
import type { Form } from './form.ts'
import type { ApiOptions } from './intercept.ts'
import { describeMedia } from './media.ts'
import { verifySignature } from './request-signature.ts'
import { randomPublicId, type Uploaded } from './store-upload.ts'
import { TAG_COMMANDS, type TagCommand } from './tags.ts'
import { commaListOf, flagOf, listOf, missing, pairsOf, requiredText, textOf, type Values } from './values.ts'

/**
 * The Upload API, `POST /v1_1/:cloud/:resource_type/:action`, and downloads. Each call is signed by its
 * caller.
 *
 * Source: https://cloudinary.com/documentation/image_upload_api_reference
 */
export async function uploadApi(
  app: FastifyInstance,
  { tools, algorithm }: Pick<ApiOptions, 'tools' | 'algorithm'>
): Promise<void> {
  app.addHook('preHandler', async ({ standIn }) => {
    const secretOf = (apiKey: string) => standIn.cloud.secretOf(apiKey)
    standIn.caller = verifySignature(standIn.form.values, { secretOf, algorithm, now: tools.clock() })
  })

  const changesOf = ({ standIn: { cloud, caller, form } }: FastifyRequest): AssetEditor =>
    new AssetEditor(cloud, { source: 'api', id: caller }, tools, textOf(form.values, 'notification_url'))

  const answer = ({ standIn: { cloud, caller } }: FastifyRequest, { asset, ...flags }: Uploaded) => ({
    ...uploadResponse(asset, cloud, { apiKey: caller, algorithm }),
    ...flags
  })

  const withEager = (request: FastifyRequest, changes: AssetEditor, asset: Asset) => {
    const { values } = request.standIn.form
    const eager = textOf(values, 'eager')
    if (!eager) return {}
    const later = {
      async: flagOf(values, 'eager_async'),
      notificationUrl: textOf(values, 'eager_notification_url')
    }
    return { eager: changes.derive(asset, eager, later) }
  }

  const actions: Record<string, (request: FastifyRequest) => object> = {
    upload(request) {
      const { form } = request.standIn
      const { values } = form
      const folder = textOf(values, 'folder')
      const name = textOf(values, 'public_id')
      const { bytes, filename } = fileOf(form)
      const changes = changesOf(request)
      const uploaded = changes.upload({
        publicId: folder ? `${folder}/${name ?? randomPublicId()}` : name,
        type: textOf(values, 'type'),
        content: bytes,
        media: describeMedia(bytes, filename, kindOf(request).resourceType),
        tags: commaListOf(values, 'tags'),
        context: pairsOf(values, 'context'),
        metadata: pairsOf(values, 'metadata'),
        assetFolder: textOf(values, 'asset_folder') ?? folder,
        displayName: textOf(values, 'display_name'),
        originalFilename: filename.replace(/\.[^.]*$/, ''),
        overwrite: flagOf(values, 'overwrite')
      })
      return { ...answer(request, uploaded), ...withEager(request, changes, uploaded.asset) }
    },

    tags(request) {
      const { values } = request.standIn.form
      const command = requiredText(values, 'command') as TagCommand
      if (!TAG_COMMANDS.includes(command)) throw new ApiError(400, `Invalid command: ${command}`)
      if (command !== 'remove_all') requiredText(values, 'tag')
      const tags = commaListOf(values, 'tag') ?? []
      return found(changesOf(request).changeTags(command, publicIdsOf(values), tags, kindOf(request)))
    },

    metadata(request) {
      const { values } = request.standIn.form
      const fields = pairsOf(values, 'metadata')
      if (!fields) throw missing('metadata')
      return found(changesOf(request).setMetadata(publicIdsOf(values), fields, kindOf(request)))
    },

    context(request) {
      const { values } = request.standIn.form
      const command = requiredText(values, 'command')
      if (command !== 'add' && command !== 'remove_all')
        throw new ApiError(400, `Invalid command: ${command}`)
      const added = pairsOf(values, 'context') ?? {}
      const after = (before: object) => (command === 'add' ? { ...before, ...added } : {})
      return found(changesOf(request).changeContext(publicIdsOf(values), after, kindOf(request)))
    },

    explicit(request) {
      const { cloud, form } = request.standIn
      const { values } = form
      const kind = kindOf(request)
      const publicId = requiredText(values, 'public_id')
      const asset = cloud.assets.find(publicId, kind)
      if (!asset) throw new ApiError(404, `Resource not found - ${publicId}`)
      const changes = changesOf(request)
      const metadata = pairsOf(values, 'metadata')
      // metadata first, since it can be invalid, which fails the call
      if (metadata) changes.setMetadata(publicId, metadata, kind)
      const tags = commaListOf(values, 'tags')
      if (tags) changes.changeTags('replace', publicId, tags, kind)
      const context = pairsOf(values, 'context')
      if (context) changes.changeContext(publicId, () => context, kind)
      changes.changeDetails(publicId, detailsIn(values), kind)
      return { ...answer(request, { asset }), ...withEager(request, changes, asset) }
    },

    rename(request) {
      const { cloud, form } = request.standIn
      const { values } = form
      const options = {
        ...kindOf(request),
        toType: textOf(values, 'to_type'),
        overwrite: flagOf(values, 'overwrite')
      }
      const [from, to] = [requiredText(values, 'from_public_id'), requiredText(values, 'to_public_id')]
      const { derived, ...renamed } = resourceResponse(changesOf(request).rename(from, to, options), cloud)
      return renamed
    },

    destroy(request) {
      const publicId = requiredText(request.standIn.form.values, 'public_id')
      const destroyed = changesOf(request).destroy(publicId, kindOf(request))
      return { result: destroyed.length > 0 ? 'ok' : 'not found' }
    }
  }

  app.get('/:resource_type/download', named('download'), async (request, reply) => {
    const { cloud, form } = request.standIn
    const asset = cloud.assets.find(requiredText(form.values, 'public_id'), kindOf(request))
    return sendContent(request, reply, asset)
  })

  for (const [action, handle] of Object.entries(actions)) {
    app.post(`/:resource_type/${action}`, named(action), async (request) => handle(request))
  }
}

const found = (assets: Asset[]) => ({ public_ids: assets.map(({ publicId }) => publicId) })

function kindOf({ params, standIn }: FastifyRequest): Required<Kind> {
  const { resource_type: resourceType } = params as { resource_type: string }
  return { resourceType, type: textOf(standIn.form.values, 'type') ?? 'upload' }
}

function publicIdsOf(values: Values): string[] {
  const publicIds = listOf(values, 'public_ids')
  if (publicIds.length === 0) throw missing('public_ids')
  return publicIds
}

/** Returns the uploaded file, or decodes a data URI. Does not fetch a URL: the URL itself is the content. */
function fileOf({ file, values }: Form): { bytes: Buffer; filename: string } {
  if (file) return file
  const text = requiredText(values, 'file')
  const [, type, data] = /^data:(?:\w+\/([\w.-]+))?[^,]*;base64,(.*)$/s.exec(text) ?? []
  if (data !== undefined) return { bytes: Buffer.from(data, 'base64'), filename: `file.${type ?? 'bin'}` }
  return { bytes: Buffer.from(text), filename: text.slice(text.lastIndexOf('/') + 1).replace(/[?#].*$/s, '') }
}
