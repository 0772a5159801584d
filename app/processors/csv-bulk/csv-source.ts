import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { isNotFound } from '../../cloudinary/cloudinary-error.ts'
import { downloadPart, type RawFile } from '../../cloudinary/raw-files.ts'
import { ListenerError } from '../../errors.ts'
import { LONGEST_ROW } from './csv-rows.ts'

/** The version of a file whose upload the event tells of. */
export interface Source extends RawFile {
  version: number
  /** Tells it from another upload of the same second. */
  etag?: string
}

/** The file is gone, or is another by now: what is left of its rows is not run. */
export class SourceGone extends Error {}

/** So much is fetched at a time, in bytes, and handed on in pieces: the first of them is as long as a header may be. */
const PART_BYTES = 4 * 1024 * 1024
const PIECE_BYTES = LONGEST_ROW

/**
 * The content of this version of the file, in pieces. Versions only grow: where this one is the current one after a part
 * was fetched, the part is of it.
 *
 * @throws {SourceGone}
 * @throws {CloudinaryError}
 */
export async function* contentOf(
  client: CloudinaryClient,
  source: Source,
  partBytes = PART_BYTES
): AsyncGenerator<Buffer, void, void> {
  let [offset, isLast] = [0, false]
  while (!isLast) {
    const part = await fetchPart(client, source, offset, partBytes)
    await requireCurrent(client, source)
    const { content } = part
    for (let at = 0; at < content.length; at += PIECE_BYTES) yield content.subarray(at, at + PIECE_BYTES)
    offset += content.length
    isLast = part.isLast
  }
}

async function fetchPart(client: CloudinaryClient, source: Source, offset: number, bytes: number) {
  try {
    return await downloadPart(client, source, { offset, bytes })
  } catch (error) {
    if (!isNotFound(error)) throw error
    await requireCurrent(client, source)
    throw new ListenerError('CSV_NOT_THERE_YET', 'Cloudinary has the CSV file, and not yet its content')
  }
}

/**
 * Costs one call of the Upload API.
 *
 * @throws {SourceGone} when the asset has a newer version, or is there no longer
 * @throws {CloudinaryError}
 */
export async function requireCurrent(client: CloudinaryClient, source: Source): Promise<void> {
  const { publicId, deliveryType, version, etag } = source
  const state = await client.currentState({ publicId, resourceType: 'raw', deliveryType }).catch((error) => {
    if (isNotFound(error)) throw new SourceGone('the file was deleted or renamed')
    throw error
  })
  const current = Number(state.version)
  const isOther = current === version && (etag ?? state.etag) !== state.etag
  if (current > version || isOther)
    throw new SourceGone('the file was uploaded anew, and that upload is run for itself')
}
