import { createHash } from 'node:crypto'
import { ListenerError } from '../errors.ts'

/** How far someone has read the changes. */
export interface Position {
  /** Changes whose stamp is older are none; milliseconds since the epoch. */
  since: number
  /** What was written before it is known and told, whatever the index has yet to show; milliseconds, whole seconds. */
  settled: number
  /** Of the assets written since: the state that was told last, by asset. In the order of telling. */
  told: ReadonlyMap<AssetKey, StateKey>
}

/** The first bytes of a hash, in hexadecimal: enough to tell assets, or states of one asset, apart. */
export type AssetKey = string
export type StateKey = string

/** What a cursor is good for. */
export interface Scope {
  cloudName: string
  field: string
}

/** Bytes. Assets that share a key are told twice; a state that has the key of the one before is missed: 1 in 10^14. */
const ASSET_KEY_BYTES = 4
const STATE_KEY_BYTES = 6
const ENTRY_BYTES = ASSET_KEY_BYTES + STATE_KEY_BYTES

/**
 * A longer list loses its beginning, and those assets are told twice. So a cursor has at most 107,000 characters: Linux
 * takes arguments of 128 KiB.
 */
const MOST_ENTRIES = 8000

/** The number changes when the form does. */
const PREFIX = 'v1.'
const TIME_BYTES = 6
const SCOPE_BYTES = 4
const HEAD_BYTES = SCOPE_BYTES + 2 * TIME_BYTES
const CHECKSUM_BYTES = 4

export const assetKey = (assetId: string): AssetKey => digest(assetId, ASSET_KEY_BYTES).toString('hex')

/** @param state what is told of an asset, as text */
export const stateKey = (state: string): StateKey => digest(state, STATE_KEY_BYTES).toString('hex')

/** Writes a position as text that can be kept anywhere: letters, digits and any of `. _ -`. It holds no secret. */
export function encodeCursor({ since, settled, told }: Position, scope: Scope): string {
  const head = Buffer.alloc(HEAD_BYTES)
  digestOf(scope).copy(head)
  head.writeUIntBE(since, SCOPE_BYTES, TIME_BYTES)
  head.writeUIntBE(settled, SCOPE_BYTES + TIME_BYTES, TIME_BYTES)
  const entries = [...told].slice(-MOST_ENTRIES).map(([asset, state]) => Buffer.from(asset + state, 'hex'))
  const body = Buffer.concat([head, ...entries])
  return PREFIX + Buffer.concat([body, digest(body, CHECKSUM_BYTES)]).toString('base64url')
}

/**
 * Reads what {@link encodeCursor} has written.
 *
 * @throws {ListenerError} CHANGES_CURSOR_INVALID for what it has not, or of another scope
 */
export function decodeCursor(cursor: string, scope: Scope): Position {
  if (!/^v1\.[\w-]+$/.test(cursor)) throw invalid('is none, or of another release')
  const bytes = Buffer.from(cursor.slice(PREFIX.length), 'base64url')
  const body = bytes.subarray(0, -CHECKSUM_BYTES)
  const isWhole =
    body.length >= HEAD_BYTES &&
    (body.length - HEAD_BYTES) % ENTRY_BYTES === 0 &&
    digest(body, CHECKSUM_BYTES).equals(bytes.subarray(-CHECKSUM_BYTES))
  if (!isWhole) throw invalid('is not whole')
  if (!digestOf(scope).equals(body.subarray(0, SCOPE_BYTES))) {
    throw invalid(`is not of the field "${scope.field}" in the environment "${scope.cloudName}"`)
  }
  const told = new Map<AssetKey, StateKey>()
  for (let at = HEAD_BYTES; at < body.length; at += ENTRY_BYTES) {
    const entry = body.toString('hex', at, at + ENTRY_BYTES)
    told.set(entry.slice(0, 2 * ASSET_KEY_BYTES), entry.slice(2 * ASSET_KEY_BYTES))
  }
  return {
    since: body.readUIntBE(SCOPE_BYTES, TIME_BYTES),
    settled: body.readUIntBE(SCOPE_BYTES + TIME_BYTES, TIME_BYTES),
    told
  }
}

const invalid = (why: string) =>
  new ListenerError(
    'CHANGES_CURSOR_INVALID',
    `the cursor ${why}; give one as \`changes\` has printed it, or begin again with a time`
  )

const digestOf = ({ cloudName, field }: Scope): Buffer => digest(`${cloudName}\n${field}`, SCOPE_BYTES)

const digest = (data: string | Buffer, bytes: number): Buffer =>
  createHash('sha256').update(data).digest().subarray(0, bytes)
