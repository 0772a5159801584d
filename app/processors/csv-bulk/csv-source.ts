import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { isNotFound } from '../../cloudinary/cloudinary-error.ts'
import { downloadPart, type RawFile } from '../../cloudinary/raw-files.ts'
import { ListenerError } from '../../errors.ts'
import { MAX_ROW_BYTES } from './csv-rows.ts'

/** The version of a file that the event is about. */
export interface Source extends RawFile {
  version: number
  /** Distinguishes two uploads within the same second. */
  etag?: string
}

/** The file was deleted, renamed or replaced: the remaining rows must not run. */
export class SourceGoneError extends Error {}

/** Bytes fetched per request. */
const PART_BYTES = 4 * 1024 * 1024

/** Bytes yielded at a time. The first piece contains the header, since no row is longer. */
const PIECE_BYTES = MAX_ROW_BYTES

/**
 * Yields the content of this version of the file in pieces. Checks the current version after each part:
 * versions only grow, so a part that was fetched while this version is current belongs to it.
 *
 * @throws {SourceGoneError}
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
    throw new ListenerError(
      'CSV_NOT_THERE_YET',
      'the content of the CSV file is not available from Cloudinary yet'
    )
  }
}

/**
 * Checks that the file still exists in this version. Costs one call of the Upload API.
 *
 * @throws {SourceGoneError}
 * @throws {CloudinaryError}
 */
export async function requireCurrent(client: CloudinaryClient, source: Source): Promise<void> {
  const { publicId, deliveryType, version, etag } = source
  const state = await client.currentState({ publicId, resourceType: 'raw', deliveryType }).catch((error) => {
    if (isNotFound(error)) throw new SourceGoneError('the file was deleted or renamed')
    throw error
  })
  const current = Number(state.version)
  const isOther = current === version && (etag ?? state.etag) !== state.etag
  if (current > version || isOther) {
    throw new SourceGoneError('the file was uploaded again; the new upload runs separately')
  }
}
