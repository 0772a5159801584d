import type { AssetState } from '../../cloudinary/client.ts'
import { PermanentError } from '../../errors.ts'
import { BY_PERSON, type Decision } from './decision.ts'
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
  /** Set if the asset stays in quarantine, since another kind of moderation rejected it too. */
  stays?: true
  /** Asset folder to move it to; empty for the root folder. */
  folder?: string
  /** Access control to set. */
  access?: readonly unknown[]
  /** Value for the metadata field; empty to clear it. */
  record?: string
  addTag?: string
  removeTag?: string
}

/** Restricts delivery, including that of derived assets. */
const RESTRICTED = [{ access_type: 'token' }]

/**
 * Returns the changes that a decision asks for; a note if it asks for none.
 *
 * @throws {PermanentError} MODERATE_RECORD_INVALID
 */
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
  const isOpen = restrict && !isRestricted(current)
  // the folder before the first rejection, unless a person has moved the asset since
  const moved = isThere ? known?.moved : { from: folderOf(current), to: folder }
  const access = isOpen ? JSON.stringify(accessOf(current)) : known?.access
  const by = [...new Set([...(known?.by ?? []), kind])]
  const isLost = known?.lost && !isOut(current, folder)
  const record = encodeRecord({ ...recordOf(by, moved, access), ...(isLost && { lost: true }) })
  return {
    note: 'quarantined',
    ...(!isThere && { folder }),
    ...(isOpen && { access: RESTRICTED }),
    ...(record !== current.metadata?.[field] && { record }),
    ...(tag && !current.tags?.includes(tag) && { addTag: tag })
  }
}

function restore(
  { kind }: Decision,
  current: AssetState,
  { folder, field, tag }: QuarantineOptions
): QuarantinePlan | string {
  const known = decodeRecord(current.metadata?.[field])
  if (!known) return 'skipped: not in quarantine'
  const others = kind === BY_PERSON ? [] : known.by.filter((by) => by !== kind)
  if (others.length === known.by.length) {
    return `skipped: rejected by ${others.join(', ')}, which only it or a person (${BY_PERSON}) can revoke`
  }
  if (others.length > 0) {
    const note = `still rejected by ${others.join(', ')}`
    return { note, stays: true, record: encodeRecord({ ...known, by: others }) }
  }
  const { moved, access, lost } = known
  if (lost && !isOut(current, folder))
    throw invalidRecord(field, 'the folder and access control before were too long for it')
  return {
    note: 'restored',
    // a person may have moved it since
    ...(moved && folderOf(current) === moved.to && { folder: moved.from }),
    ...(access !== undefined && isRestricted(current) && { access: rulesIn(access, field) }),
    record: '',
    ...(tag && current.tags?.includes(tag) && { removeTag: tag })
  }
}

function recordOf(
  by: readonly string[],
  moved: QuarantineRecord['moved'],
  access: string | undefined
): QuarantineRecord {
  return { by, ...(moved && { moved }), ...(access !== undefined && { access }) }
}

const folderOf = ({ asset_folder: folder }: AssetState): string => String(folder ?? '')

const accessOf = ({ access_control: rules }: AssetState): readonly unknown[] =>
  Array.isArray(rules) ? rules : []

/**
 * Returns whether delivery is restricted. Compares only the type: the API may return a rule with more fields
 * than were set.
 */
const isRestricted = (current: AssetState): boolean => {
  const rules = accessOf(current) as readonly { access_type?: unknown }[]
  return rules.length > 0 && rules.every(({ access_type: type }) => type === 'token')
}

/**
 * Returns whether a person has restored the asset, so that a record of what was there before is not needed.
 */
const isOut = (current: AssetState, folder: string | false): boolean =>
  folderOf(current) !== folder && !isRestricted(current)

/**
 * Reads the access control to restore. Without a valid one, the asset stays restricted: a person may have edited the
 * field, and no rules would open it to everyone.
 */
function rulesIn(json: string, field: string): readonly unknown[] {
  let rules: unknown
  try {
    rules = JSON.parse(json)
  } catch {
    // not JSON
  }
  if (Array.isArray(rules) && rules.every(isRule)) return rules
  throw invalidRecord(field, 'its access control is not valid')
}

const isRule = (rule: { access_type?: unknown } | null): boolean => typeof rule?.access_type === 'string'

const invalidRecord = (field: string, why: string): PermanentError =>
  new PermanentError(
    `the asset stays in quarantine: the metadata field ${field} cannot be used, ${why}; restore the asset, then ` +
      'clear the field',
    { code: 'MODERATE_RECORD_INVALID' }
  )
