import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { isNotFound } from '../../cloudinary/cloudinary-error.ts'
import { kindOf } from '../../cloudinary/identified-asset.ts'
import type { Target, Task } from './csv-columns.ts'

/** What a row did: `already` where there was nothing left to do, and why. */
export type Done = { outcome: 'ok' } | { outcome: 'already'; remark: string }

const OK: Done = { outcome: 'ok' }

/**
 * Does what a row asks for: one call of the Upload API (not rate-limited), and one more where a rename finds nothing to
 * rename. It bears repeating: a rename or a delete that was done is found to be so.
 *
 * @throws {CloudinaryError}
 */
export async function runTask(client: CloudinaryClient, task: Task): Promise<Done> {
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
        // its types know of texts alone; it encodes an object
        sdk.uploader.add_context(task.values as unknown as string, [publicId], options)
      )
      return OK
    case 'rename':
      return rename(client, asset, task.toPublicId)
    case 'delete': {
      const { result } = await client.call('delete', (sdk, options) =>
        sdk.uploader.destroy(asset.publicId, { ...options, ...kindOf(asset) })
      )
      return result === 'ok' ? OK : { outcome: 'already', remark: 'there is no such asset' }
    }
  }
}

async function rename(client: CloudinaryClient, asset: Target, to: string): Promise<Done> {
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
    return { outcome: 'already', remark: `there is no such asset, and there is ${to}` }
  }
}
