import type { FastifyInstance } from 'fastify'
import { ApiError } from './api-error.ts'
import { detailsIn } from './asset-details.ts'
import { AssetEditor, type Tools } from './asset-editor.ts'
import { resourceResponse } from './asset-view.ts'
import { type Cloud, cloudNamed } from './cloud.ts'
import { readForm } from './form.ts'
import { commaListOf, flagOf, pairsOf, requiredText, textOf } from './values.ts'

/** A person in the Console, without an API key. */
const EDITOR = { source: 'ui', id: 'editor@example.com' } as const

/**
 * `POST /_standin/edit`: changes the asset with this `public_id`, `resource_type` and `type`, as a person
 * does in the Console. Applies any of `add_tags`, `remove_tags`, `metadata` and `context`
 * (`key=value|key=value`), `asset_folder`, `display_name`, `access_control` (JSON), `moderation` (`approved`,
 * `rejected`; by `moderation_kind`), `rename_to` and `delete`, in this order. Answers with the changed asset.
 */
export async function editApi(
  app: FastifyInstance,
  { clouds, tools }: { clouds: ReadonlyMap<string, Cloud>; tools: Tools }
): Promise<void> {
  app.post('/edit', async (request) => {
    const { values } = await readForm(request)
    const cloud = cloudNamed(clouds, textOf(values, 'cloud'))
    const publicId = requiredText(values, 'public_id')
    const kind = {
      resourceType: textOf(values, 'resource_type') ?? 'image',
      type: textOf(values, 'type') ?? 'upload'
    }
    const asset = cloud.assets.find(publicId, kind)
    if (!asset) throw new ApiError(404, `Resource not found - ${publicId}`)

    const changes = new AssetEditor(cloud, EDITOR, tools)
    const [added, removed] = [commaListOf(values, 'add_tags'), commaListOf(values, 'remove_tags')]
    if (added) changes.addTags(publicId, added, kind)
    if (removed) changes.removeTags(publicId, removed, kind)
    const [metadata, context] = [pairsOf(values, 'metadata'), pairsOf(values, 'context')]
    if (metadata) changes.setMetadata(publicId, metadata, kind)
    if (context) changes.changeContext(publicId, (before) => ({ ...before, ...context }), kind)
    changes.changeDetails(publicId, detailsIn(values), kind)
    const status = textOf(values, 'moderation')
    if (status === 'approved' || status === 'rejected') {
      const moderationKind = textOf(values, 'moderation_kind')
      changes.moderate(publicId, status, { ...kind, ...(moderationKind && { moderationKind }) })
    } else if (status) throw new ApiError(400, `Invalid value ${status} for parameter moderation`)
    const to = textOf(values, 'rename_to')
    if (to) changes.rename(publicId, to, kind)
    if (!flagOf(values, 'delete')) return resourceResponse(asset, cloud)
    changes.destroy(to ?? publicId, kind)
    return { deleted: to ?? publicId }
  })
}
