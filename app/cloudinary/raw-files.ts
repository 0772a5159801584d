import { pipeline } from 'node:stream/promises'
import type { CloudinaryClient } from './client.ts'
import { refusal } from './rest.ts'

/** A raw asset by its name: a public id of type raw has the file's extension in it. */
export interface RawFile {
  publicId: string
  /** `upload`, `private`, … */
  deliveryType: string
  /** Where it is, in a product environment that has asset folders; else its public id says. */
  assetFolder?: string
}

/** A part of a file: some of its bytes, and whether they are its last. */
export interface Part {
  content: Buffer
  isLast: boolean
}

export interface PartWanted {
  /** In bytes, from the beginning of the file. */
  offset: number
  /** About how many bytes; the part ends with the piece from the network that reaches it. */
  bytes: number
  /** How long Cloudinary may send nothing, in milliseconds. */
  silenceMs?: number
}

/** How long a download or an upload may take in all, in milliseconds; a silent server is given up long before. */
const LONGEST_MS = 15 * 60_000

const SILENCE_MS = 30_000

/** How long Cloudinary may take to answer when it has an uploaded file, in milliseconds. */
const ANSWER_MS = 60_000

/**
 * Part of a raw asset's content, by the signed download of the Upload API, which serves private assets too:
 * `GET /raw/download`. It comes as a part, in one go, since whoever works through a large file would let the connection
 * wait, and no server keeps one for hours. A server that does not know ranges sends all, and what is before the part is
 * dropped.
 *
 * No format is sent: it would be one to convert an image to.
 * Source: `private_download_url` of the Node SDK; https://cloudinary.com/documentation/control_access_to_media
 *
 * @throws {CloudinaryError}
 */
export async function downloadPart(
  client: CloudinaryClient,
  file: RawFile,
  wanted: PartWanted
): Promise<Part> {
  const { publicId, deliveryType } = file
  const { offset, bytes, silenceMs = SILENCE_MS } = wanted
  return client.call(
    'download',
    async (sdk, options, signal) => {
      const kind = { resource_type: 'raw', type: deliveryType } as const
      const url = sdk.utils.private_download_url(publicId, '', { ...options, ...kind } as typeof kind)
      const silence = new AbortController()
      const silent = () => silence.abort(new Error(`nothing came for ${silenceMs} ms`))
      const timer = setTimeout(silent, silenceMs)
      const either = AbortSignal.any([signal, silence.signal])
      const part = receivePart(url, offset, bytes, either, () => timer.refresh())
      return part.catch(throwCause).finally(() => clearTimeout(timer))
    },
    LONGEST_MS
  )
}

/** `fetch` says no more than "fetch failed"; what failed is its cause. */
const throwCause = (error: Error): never => {
  throw error.cause ?? error
}

async function receivePart(
  url: string,
  offset: number,
  bytes: number,
  signal: AbortSignal,
  onReceived: () => void
): Promise<Part> {
  // ranges count the bytes as sent, compressed ones where it may compress
  const headers = { 'accept-encoding': 'identity', ...(offset > 0 && { range: `bytes=${offset}-` }) }
  const response = await fetch(url, { signal, headers })
  onReceived()
  // the file ends right before the part
  if (response.status === 416) return { content: Buffer.alloc(0), isLast: true }
  if (!response.ok) throw await refusal(response)
  return readPart(response, response.status === 206 ? 0 : offset, bytes, onReceived)
}

async function readPart(
  response: Response,
  skip: number,
  bytes: number,
  onReceived: () => void
): Promise<Part> {
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
 * Uploads content as a raw asset, as it comes; what is there under the name is replaced: `POST /raw/upload`.
 *
 * @throws {CloudinaryError}
 * @throws {ListenerError} what reading the content throws
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
          timeout: ANSWER_MS,
          // the promise is for calls without a stream: nobody would handle its rejection
          disable_promises: true,
          resource_type: 'raw',
          type: deliveryType as 'upload',
          public_id: publicId,
          overwrite: true,
          ...(assetFolder !== undefined && { asset_folder: assetFolder })
        },
        (error) => (error ? uploaded.reject(error) : uploaded.resolve())
      )
      // an upload that failed takes nothing more, and the content would wait for ever
      pipeline(content, sink, { signal: ended.signal }).catch(uploaded.reject)
      try {
        await uploaded.promise
      } finally {
        ended.abort()
      }
    },
    LONGEST_MS
  )
}
