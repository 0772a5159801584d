import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { isNotFound } from '../../cloudinary/cloudinary-error.ts'
import { kindOf } from '../../cloudinary/identified-asset.ts'
import type { Target, Task } from './csv-task.ts'

/** The result of a row without a failure: with `already`, `error` says why there was nothing to do. */
export interface RowResult {
  outcome: 'ok' | 'already'
  error: string
}

const OK: RowResult = { outcome: 'ok', error: '' }

/**
 * Runs the operation of a row. Costs one call of the Upload API (not rate-limited), and a second one if a
 * rename does not find the asset. Safe to repeat: a rename or a delete that was done before returns
 * `already`.
 *
 * @throws {CloudinaryError}
 */
export async function runTask(client: CloudinaryClient, task: Task): Promise<RowResult> {
  const { asset } = task
  switch (task.operation) {
    case 'add_tags':
      await client.addTag(asset, task.tags)
      return OK
    case 'remove_tags':
      await client.change('remove tags', asset, (sdk, publicId, options) =>
        sdk.uploader.remove_tag(task.tags, [publicId], options)
      )
      return OK
    case 'set_metadata':
      await client.updateMetadata(asset, task.values)
      return OK
    case 'set_context':
      await client.change('set context', asset, (sdk, publicId, options) =>
        // the SDK encodes an object, though its types allow only a string
        sdk.uploader.add_context(task.values as unknown as string, [publicId], options)
      )
      return OK
    case 'rename':
      return rename(client, asset, task.toPublicId)
    case 'delete': {
      const { result } = await client.call('delete', (sdk, options) =>
        sdk.uploader.destroy(asset.publicId, { ...options, ...kindOf(asset) })
      )
      return result === 'ok' ? OK : { outcome: 'already', error: 'the asset does not exist' }
    }
  }
}

async function rename(client: CloudinaryClient, asset: Target, to: string): Promise<RowResult> {
  try {
    await client.call('rename', (sdk, options) =>
      sdk.uploader.rename(asset.publicId, to, { ...options, ...kindOf(asset) })
    )
    return OK
  } catch (error) {
    if (!isNotFound(error)) throw error
    await client.currentState({ ...asset, publicId: to }).catch((reason) => {
      throw isNotFound(reason) ? error : reason
    })
    return { outcome: 'already', error: `the asset does not exist, and ${to} does` }
  }
}
