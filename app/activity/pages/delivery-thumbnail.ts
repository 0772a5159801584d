import type { ActivityEvent } from '../activity-store.ts'
import { type Html, html } from './html.ts'

/** Host on which Cloudinary delivers public assets. */
const DELIVERY_ORIGIN = 'https://res.cloudinary.com'

/** Events after which the asset no longer exists. */
const GONE: readonly string[] = ['delete', 'delete_by_token']

/**
 * Returns the delivery URL of a square of 96 pixels; undefined if the delivery needs a signature or the event
 * does not identify the asset.
 */
export function thumbnailUrl({
  asset,
  environment,
  type
}: Pick<ActivityEvent, 'asset' | 'environment' | 'type'>): string | undefined {
  const { publicId, resourceType, deliveryType, version } = asset ?? {}
  if (!publicId || deliveryType !== 'upload' || GONE.includes(type)) return undefined
  if (resourceType !== 'image' && resourceType !== 'video') return undefined
  const transformation = `c_fill,w_96,h_96,q_auto${resourceType === 'image' ? ',f_auto' : ''}`
  const steps = [
    environment,
    resourceType,
    'upload',
    transformation,
    ...(version === undefined ? [] : [`v${version}`])
  ]
  const path = [...steps, ...publicId.toWellFormed().split('/')].map(encodeURIComponent).join('/')
  return `${DELIVERY_ORIGIN}/${path.replaceAll('%2C', ',')}${resourceType === 'video' ? '.jpg' : ''}`
}

/**
 * Renders the thumbnail on top of a box with the resource type. The box stays visible if the image does not
 * load, since its alternative text is empty.
 */
export function thumbnail(event: ActivityEvent, size: 'small' | 'large' = 'small'): Html {
  const url = thumbnailUrl(event)
  const kind = event.asset?.resourceType ?? (event.asset ? 'asset' : 'cloud')
  return html`<span class="thumb ${size}" aria-hidden="true"><span>${KINDS[kind] ?? kind.slice(0, 5)}</span>${
    url &&
    html`<img src="${url}" alt="" width="48" height="48" loading="lazy" decoding="async" referrerpolicy="no-referrer">`
  }</span>`
}

const KINDS: Readonly<Record<string, string>> = {
  image: 'IMG',
  video: 'VID',
  raw: 'RAW',
  asset: 'ASSET',
  cloud: 'CLOUD'
}
