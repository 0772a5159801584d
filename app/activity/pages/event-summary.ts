import type { ActivityEvent } from '../activity-store.ts'
import { type Html, html } from './html.ts'

type Role = 'asset' | 'name' | 'added' | 'removed'

/** Part of a sentence: fixed text, or a value from the event. */
type Piece = string | { text: string; role: Role }

/** Maximum length of a value in a sentence, in characters. */
const MAX_VALUE_LENGTH = 120

/** Maximum number of changes in a sentence. */
const MAX_CHANGES = 6

/** Describes the event, with the values marked: `tags of **shoes/red** changed: +sale −draft`. */
export const eventSummary = (event: ActivityEvent): Html =>
  html`${sentence(event).map((piece) =>
    typeof piece === 'string' ? piece : html`<bdi class="${piece.role}">${cut(piece.text)}</bdi>`
  )}`

/** Describes the event in plain text, for titles and labels. */
export const eventTitle = (event: ActivityEvent): string =>
  sentence(event)
    .map((piece) => (typeof piece === 'string' ? piece : cut(piece.text)))
    .join('')

/** Returns the asset's public id, else its asset id. */
export const assetName = ({ asset }: Pick<ActivityEvent, 'asset'>): string | undefined =>
  asset?.publicId ?? asset?.assetId

function sentence(event: ActivityEvent): Piece[] {
  const asset: Piece = named(assetName(event), 'asset') ?? 'an asset'
  const { added = [], removed = [] } = event.change ?? {}
  const [from] = removed
  const [to] = added
  switch (event.type) {
    case 'upload':
      return [asset, ' uploaded']
    case 'delete':
      return [asset, ' deleted']
    case 'delete_by_token':
      return [asset, ' deleted by token']
    case 'rename':
      if (from === undefined || to === undefined) return [asset, ' renamed']
      return ['renamed from ', { text: from, role: 'name' }, ' to ', { text: to, role: 'asset' }]
    case 'move':
      return [asset, ' moved', ...fromTo(from, to)]
    case 'resource_tags_changed':
      return ['tags of ', asset, ' changed', ...changes(added, removed)]
    case 'resource_metadata_changed':
      return ['metadata of ', asset, ' changed', ...changes(added, removed)]
    case 'resource_context_changed':
      return ['context of ', asset, ' changed', ...changes(added, removed)]
    case 'resource_display_name_changed':
      return ['display name of ', asset, ' changed', ...fromTo(from, to)]
    case 'access_control_changed':
      return ['access control of ', asset, ' changed']
    case 'eager':
      return ['derived versions of ', asset, ' ready']
    case 'moderation':
      return [asset, ' moderated', ...changes(added, removed)]
    case 'moderation_summary':
      return ['moderation of ', asset, ' summed up']
    case 'info':
      return ['analysis of ', asset, ' ready']
    case 'restore_asset_version':
      return ['version of ', asset, ' restored']
    case 'publish':
      return [asset, ' published']
    case 'explode':
      return ['pages of ', asset, ' extracted']
    case 'multi':
      return ['animation ', asset, ' made']
    case 'sprite':
      return ['sprite ', asset, ' made']
    case 'related_assets':
      return ['related assets of ', asset, ' changed', ...changes(added, removed)]
    case 'proof_status_changed':
      return ['proof status of ', asset, ' changed', ...fromTo(from, to)]
    case 'create_folder':
      return ['folder', ...folder(to), ' created']
    case 'delete_folder':
      return ['folder', ...folder(from), ' deleted']
    case 'move_or_rename_asset_folder':
      return ['folder moved', ...fromTo(from, to)]
    case 'generate_archive':
      return ['archive generated']
    case 'bulk_refresh_auto_fetch':
      return ['fetched assets refreshed']
    case 'invalidate_custom_cdn':
      return ['CDN cache invalidated']
    case 'report':
      return ['report ready']
    case 'scheduled_search':
      return [asset, ' found by a scheduled search']
    case 'error':
      return ['Cloudinary reported an error', ...about(event)]
    case 'unknown':
      return ['notification of an unknown type', ...about(event)]
  }
}

const named = (text: string | undefined, role: Role): Piece | undefined =>
  text === undefined || text === '' ? undefined : { text, role }

const about = (event: ActivityEvent): Piece[] => {
  const asset = named(assetName(event), 'asset')
  return asset ? [' about ', asset] : []
}

const folder = (name: string | undefined): Piece[] => {
  const piece = named(name, 'name')
  return piece ? [' ', piece] : []
}

function fromTo(from: string | undefined, to: string | undefined): Piece[] {
  if (from === undefined && to === undefined) return []
  const root = (path: string): Piece => ({ text: path === '' ? '/' : path, role: 'name' })
  return [
    ...(from === undefined ? [] : [' from ', root(from)]),
    ...(to === undefined ? [] : [' to ', root(to)])
  ]
}

function changes(added: readonly string[], removed: readonly string[]): Piece[] {
  const all: { text: string; role: Role }[] = [
    ...added.map((text) => ({ text: `+${text}`, role: 'added' as const })),
    ...removed.map((text) => ({ text: `−${text}`, role: 'removed' as const }))
  ]
  if (all.length === 0) return []
  const shown = all.slice(0, MAX_CHANGES).flatMap((piece) => [' ', piece])
  return [':', ...shown, ...(all.length > MAX_CHANGES ? [` and ${all.length - MAX_CHANGES} more`] : [])]
}

const cut = (text: string): string => {
  const whole = text.toWellFormed()
  if (whole.length <= MAX_VALUE_LENGTH) return whole
  return `${whole.slice(0, MAX_VALUE_LENGTH / 2)}…${whole.slice(-MAX_VALUE_LENGTH / 2)}`.toWellFormed()
}
