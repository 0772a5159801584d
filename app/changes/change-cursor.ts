import { createHash } from 'node:crypto'
import { ListenerError } from '../errors.ts'

/** How far changes were read. */
export interface FeedPosition {
  /** Changes with an older stamp are skipped; milliseconds since the epoch. */
  since: number
  /** All changes written before this time were reported; milliseconds, in whole seconds. */
  settled: number
  /** The last reported state of each asset written since `settled`, in order of reporting. */
  reported: ReadonlyMap<AssetKey, StateKey>
}

/** The first bytes of a hash, in hexadecimal. */
export type AssetKey = string
export type StateKey = string

/** The feed that a cursor belongs to. */
export interface CursorScope {
  cloudName: string
  field: string
}

/**
 * Lengths of the keys, in bytes. If two assets share a key, they are reported twice; if two successive states
 * do, the second is missed: 1 in 10^14.
 */
const ASSET_KEY_BYTES = 4
const STATE_KEY_BYTES = 6
const ENTRY_BYTES = ASSET_KEY_BYTES + STATE_KEY_BYTES

/**
 * Maximum number of states in a cursor. The oldest are dropped, and those assets are reported twice. It
 * limits a cursor to 107,000 characters: Linux accepts arguments of 128 KiB.
 */
const MAX_ENTRIES = 8000

/** The number is the version of the format. */
const PREFIX = 'v1.'
const TIME_BYTES = 6
const SCOPE_BYTES = 4
const HEAD_BYTES = SCOPE_BYTES + 2 * TIME_BYTES
const CHECKSUM_BYTES = 4

export const assetKey = (assetId: string): AssetKey => digest(assetId, ASSET_KEY_BYTES).toString('hex')

/** @param state the reported asset, as text */
export const stateKey = (state: string): StateKey => digest(state, STATE_KEY_BYTES).toString('hex')

/** Encodes a position as letters, digits and `. _ -`. It holds no secret. */
export function encodeCursor({ since, settled, reported }: FeedPosition, scope: CursorScope): string {
  const head = Buffer.alloc(HEAD_BYTES)
  digestOf(scope).copy(head)
  head.writeUIntBE(since, SCOPE_BYTES, TIME_BYTES)
  head.writeUIntBE(settled, SCOPE_BYTES + TIME_BYTES, TIME_BYTES)
  const entries = [...reported].slice(-MAX_ENTRIES).map(([asset, state]) => Buffer.from(asset + state, 'hex'))
  const body = Buffer.concat([head, ...entries])
  return PREFIX + Buffer.concat([body, digest(body, CHECKSUM_BYTES)]).toString('base64url')
}

/**
 * Decodes a cursor of {@link encodeCursor}.
 *
 * @throws {ListenerError} CHANGES_CURSOR_INVALID for any other text, and for a cursor of another scope
 */
export function decodeCursor(cursor: string, scope: CursorScope): FeedPosition {
  if (!/^v1\.[\w-]+$/.test(cursor)) throw invalid('is not a cursor of this release')
  const bytes = Buffer.from(cursor.slice(PREFIX.length), 'base64url')
  const body = bytes.subarray(0, -CHECKSUM_BYTES)
  const isComplete =
    body.length >= HEAD_BYTES &&
    (body.length - HEAD_BYTES) % ENTRY_BYTES === 0 &&
    digest(body, CHECKSUM_BYTES).equals(bytes.subarray(-CHECKSUM_BYTES))
  if (!isComplete) throw invalid('is incomplete or damaged')
  if (!digestOf(scope).equals(body.subarray(0, SCOPE_BYTES))) {
    throw invalid(`does not belong to the field "${scope.field}" in the environment "${scope.cloudName}"`)
  }
  const reported = new Map<AssetKey, StateKey>()
  for (let at = HEAD_BYTES; at < body.length; at += ENTRY_BYTES) {
    const entry = body.toString('hex', at, at + ENTRY_BYTES)
    reported.set(entry.slice(0, 2 * ASSET_KEY_BYTES), entry.slice(2 * ASSET_KEY_BYTES))
  }
  return {
    since: body.readUIntBE(SCOPE_BYTES, TIME_BYTES),
    settled: body.readUIntBE(SCOPE_BYTES + TIME_BYTES, TIME_BYTES),
    reported
  }
}

const invalid = (why: string) =>
  new ListenerError(
    'CHANGES_CURSOR_INVALID',
    `the cursor ${why}; use one that \`changes\` printed, or a time`
  )

const digestOf = ({ cloudName, field }: CursorScope): Buffer => digest(`${cloudName}\n${field}`, SCOPE_BYTES)

const digest = (data: string | Buffer, bytes: number): Buffer =>
  createHash('sha256').update(data).digest().subarray(0, bytes)
