import { gzipSync } from 'node:zlib'

const MINIMUM_CHUNK_BYTES = 64
const MAX_CHUNK_BYTES = 16 * 1024

/**
 * Compresses a short text with gzip. `gzipSync` reserves 16 KiB for each result, and the memory stays
 * occupied as long as the result exists: with events of 1.5 KB, a busy worker held 50 MB and used twice the
 * CPU time.
 */
export function compress(text: string): Buffer {
  const chunkSize = Math.min(Math.max(text.length, MINIMUM_CHUNK_BYTES), MAX_CHUNK_BYTES)
  return gzipSync(text, { chunkSize })
}
