import { isDeepStrictEqual } from 'node:util'
import type { AssetState } from '../../cloudinary/client.ts'
import type { Decision } from './decision.ts'
import { decodeRecord, encodeRecord, type QuarantineRecord } from './quarantine-record.ts'

export interface QuarantineOptions {
  /** The quarantine folder; false to leave assets where they are. */
  folder: string | false
  /** Restrict delivery to requests with a token. */
  restrict: boolean
  /** The metadata field with the record. */
  field: string
  tag?: string | undefined
}

/** Changes that put an asset into quarantine or restore it. Changes that are already made are left out. */
export interface QuarantinePlan {
  note: string
  /** Asset folder to move it to; empty for the root folder. */
  folder?: string
  /** Access control to set. */
  access?: readonly unknown[]
  /** Value for the metadata field; empty to clear it. */
  record?: string
  addTag?: string
  removeTag?: string
}

/** Restricts delivery, also of derived assets. */
const RESTRICTED = [{ access_type: 'token' }]

/** Kind of a decision by a person, who may overrule any other. */
const BY_PERSON = 'manual'

/** Returns the changes that a decision asks for; a note if it asks for none. */
export const planFor = (
  decision: Decision,
  current: AssetState,
  options: QuarantineOptions
): QuarantinePlan | string =>
  decision.status === 'rejected'
    ? quarantine(decision, current, options)
    : restore(decision, current, options)

function quarantine(
  { kind }: Decision,
  current: AssetState,
  { folder, restrict, field, tag }: QuarantineOptions
): QuarantinePlan {
  const known = decodeRecord(current.metadata?.[field])
  const isThere = folder === false || current.asset_folder === folder
  const isRestricted = !restrict || isDeepStrictEqual(accessOf(current), RESTRICTED)
  // what was there before the first rejection, unless a person changed it since
  const moved = isThere ? known?.moved : { from: folderOf(current), to: folder }
  const access = isRestricted ? known?.access : JSON.stringify(accessOf(current))
  const record = encodeRecord(recordOf(kind, moved, access))
  return {
    note: 'quarantined',
    ...(!isThere && { folder }),
    ...(!isRestricted && { access: RESTRICTED }),
    ...(record !== current.metadata?.[field] && { record }),
    ...(tag && !current.tags?.includes(tag) && { addTag: tag })
  }
}

function restore(
  { kind }: Decision,
  current: AssetState,
  { field, tag }: QuarantineOptions
): QuarantinePlan | string {
  const known = decodeRecord(current.metadata?.[field])
  if (!known) return 'skipped: not in quarantine'
  if (known.by !== kind && kind !== BY_PERSON) {
    return `skipped: rejected by ${known.by}, which only it or a person (${BY_PERSON}) can revoke`
  }
  const { moved, access } = known
  return {
    note: 'restored',
    // a person may have moved it since
    ...(moved && folderOf(current) === moved.to && { folder: moved.from }),
    ...(access !== undefined &&
      isDeepStrictEqual(accessOf(current), RESTRICTED) && { access: listIn(access) }),
    record: '',
    ...(tag && current.tags?.includes(tag) && { removeTag: tag })
  }
}

function recordOf(
  by: string,
  moved: QuarantineRecord['moved'],
  access: string | undefined
): QuarantineRecord {
  return { by, ...(moved && { moved }), ...(access !== undefined && { access }) }
}

const folderOf = ({ asset_folder: folder }: AssetState): string => String(folder ?? '')

const accessOf = ({ access_control: rules }: AssetState): readonly unknown[] =>
  Array.isArray(rules) ? rules : []

/** A person may have edited the field: without a list, everyone gets access, as before. */
function listIn(json: string): readonly unknown[] {
  try {
    const rules: unknown = JSON.parse(json)
    return Array.isArray(rules) ? rules : []
  } catch {
    return []
  }
}
