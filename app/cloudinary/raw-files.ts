import { pipeline } from 'node:stream/promises'
import type { CloudinaryClient } from './client.ts'
import { rejectionOf } from './rest.ts'

/** Identifies a raw asset. */
export interface RawFile {
  /** Includes the extension of the file. */
  publicId: string
  /** `upload`, `private`, … */
  deliveryType: string
  /** Set if the product environment has asset folders. Otherwise the public id includes the folder. */
  assetFolder?: string
}

/** A part of a file. */
export interface FilePart {
  content: Buffer
  isLast: boolean
}

export interface PartOptions {
  /** Start of the part, in bytes. */
  offset: number
  /** Minimum length, in bytes. The part ends with the network chunk that reaches it, or with the file. */
  bytes: number
  /** Timeout while Cloudinary sends nothing, in milliseconds. (Default: 30,000) */
  silenceMs?: number
}

/** Maximum duration of a download or an upload, in milliseconds. A silent server times out earlier. */
const MAX_MS = 15 * 60_000

const SILENCE_MS = 30_000

/** Timeout of the response after an upload, in milliseconds. */
const RESPONSE_MS = 60_000

/**
 * Downloads a part of a raw asset with the signed download of the Upload API, which serves private assets
 * too: `GET /raw/download`. Downloads in parts, since the processing of a large file takes hours, and no
 * server keeps a connection open that long. If the server does not support ranges, skips the bytes before the
 * part.
 *
 * Sends no format, because Cloudinary would convert an image to that format.
 * Source: `private_download_url` of the Node SDK;
 * https://cloudinary.com/documentation/control_access_to_media
 *
 * @throws {CloudinaryError}
 */
export async function downloadPart(
  client: CloudinaryClient,
  file: RawFile,
  wanted: PartOptions
): Promise<FilePart> {
  const { publicId, deliveryType } = file
  const { offset, bytes, silenceMs = SILENCE_MS } = wanted
  return client.call(
    'download',
    async (sdk, options, signal) => {
      const kind = { resource_type: 'raw', type: deliveryType } as const
      const url = sdk.utils.private_download_url(publicId, '', { ...options, ...kind } as typeof kind)
      const silence = new AbortController()
      const silent = () => silence.abort(new Error(`no data received for ${silenceMs} ms`))
      const timer = setTimeout(silent, silenceMs)
      const either = AbortSignal.any([signal, silence.signal])
      const part = receivePart(url, offset, bytes, either, () => timer.refresh())
      return part.catch(throwCause).finally(() => clearTimeout(timer))
    },
    MAX_MS
  )
}

/** Throws the cause of an error of `fetch`, whose own message says only "fetch failed". */
const throwCause = (error: Error): never => {
  throw error.cause ?? error
}

async function receivePart(
  url: string,
  offset: number,
  bytes: number,
  signal: AbortSignal,
  onReceived: () => void
): Promise<FilePart> {
  // ranges count the bytes as sent, so compression must be off
  const headers = { 'accept-encoding': 'identity', ...(offset > 0 && { range: `bytes=${offset}-` }) }
  const response = await fetch(url, { signal, headers })
  onReceived()
  // the part starts at the end of the file
  if (response.status === 416) return { content: Buffer.alloc(0), isLast: true }
  if (!response.ok) throw await rejectionOf(response)
  return readPart(response, response.status === 206 ? 0 : offset, bytes, onReceived)
}

async function readPart(
  response: Response,
  skip: number,
  bytes: number,
  onReceived: () => void
): Promise<FilePart> {
  const pieces: Uint8Array[] = []
  let [toSkip, size] = [skip, 0]
  for await (const received of response.body ?? []) {
    onReceived()
    const piece = received.subarray(toSkip)
    toSkip -= received.length - piece.length
    if (piece.length > 0) pieces.push(piece)
    size += piece.length
    if (size >= bytes) return { content: Buffer.concat(pieces), isLast: false }
  }
  return { content: Buffer.concat(pieces), isLast: true }
}

/**
 * Streams content into a raw asset, replacing an existing one: `POST /raw/upload`.
 *
 * @throws {CloudinaryError}
 * @throws {ListenerError} from `content`
 */
export async function uploadRawFile(
  client: CloudinaryClient,
  { publicId, deliveryType, assetFolder }: RawFile,
  content: AsyncIterable<string>
): Promise<void> {
  await client.call(
    'upload',
    async (sdk, options) => {
      const ended = new AbortController()
      const uploaded = Promise.withResolvers<void>()
      const sink = sdk.uploader.upload_stream(
        {
          ...options,
          timeout: RESPONSE_MS,
          // the promise is for calls without a stream; its rejection would be unhandled
          disable_promises: true,
          resource_type: 'raw',
          type: deliveryType as 'upload',
          public_id: publicId,
          overwrite: true,
          ...(assetFolder !== undefined && { asset_folder: assetFolder })
        },
        (error) => (error ? uploaded.reject(error) : uploaded.resolve())
      )
      // `ended` stops the content of a failed upload, which would wait forever
      pipeline(content, sink, { signal: ended.signal }).catch(uploaded.reject)
      try {
        await uploaded.promise
      } finally {
        ended.abort()
      }
    },
    MAX_MS
  )
}
