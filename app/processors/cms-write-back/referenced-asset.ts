import { isDeepStrictEqual } from 'node:util'
import type { AssetState } from '../../cloudinary/client.ts'
import type { AssetName, CurrentOrFormerName } from './asset-name.ts'
import { renamedUrl } from './renamed-url.ts'

/** An object in an entry of a CMS. */
export type Fields = Readonly<Record<string, unknown>>

/** An asset as objects in a CMS refer to it: by its asset id, or by one of its names. */
export interface ReferencedAsset {
  assetId: string | undefined
  names: readonly CurrentOrFormerName[]
  /** Cloud of the asset: another cloud may have an asset of the same name. */
  cloudName?: string
}

/** Returned instead of an object that must be removed. */
export const REMOVED = Symbol('removed')

/**
 * URLs of an asset in an object. Contentful's Cloudinary app keeps the URL of a chosen transformation in `url`
 * and `secure_url`, and the asset's own in `original_url` and `original_secure_url`.
 *
 * Source: https://github.com/contentful/apps/blob/master/apps/cloudinary/src/index.js
 */
const URLS = {
  url: 'url',
  secure_url: 'secure_url',
  original_url: 'url',
  original_secure_url: 'secure_url'
} as const

/**
 * Returns whether an object refers to the asset: by asset id, or, if the object has none, by public id,
 * resource type and type. An object with a URL of another cloud belongs to another asset. So does one that
 * was picked after the asset lost the name: its version is newer.
 */
export function isReference(object: Fields, { assetId, names, cloudName }: ReferencedAsset): boolean {
  const { asset_id: heldId, public_id, resource_type, type, version } = object
  if (typeof heldId === 'string' && assetId !== undefined) return heldId === assetId
  if (cloudName !== undefined && isOfAnotherCloud(object, cloudName)) return false
  return names.some(
    ({ publicId, resourceType, deliveryType, until = Number.POSITIVE_INFINITY }) =>
      public_id === publicId &&
      resource_type === resourceType &&
      type === deliveryType &&
      !(Number(version) > until)
  )
}

const isOfAnotherCloud = (object: Fields, cloudName: string): boolean =>
  Object.keys(URLS).some((name) => statesAnotherCloud(object[name], cloudName))

/**
 * Returns whether a delivery URL states another cloud: in the path of the shared CDN, or in the host name of
 * a private one. Custom host names state none.
 *
 * Source:
 * https://cloudinary.com/documentation/advanced_url_delivery_options#private_cdns_and_custom_delivery_hostnames_cnames
 */
function statesAnotherCloud(url: unknown, cloudName: string): boolean {
  const { hostname = '', pathname = '' } = URL.parse(String(url)) ?? {}
  const [, own, shared] = /^(?:(.+)-)?(res)(?:-\d)?\.cloudinary\.com$/.exec(hostname) ?? []
  // the SDK for Node.js keeps underscores, others replace them
  if (own !== undefined) return inHostName(own) !== inHostName(cloudName)
  const stated = pathname.split('/')[1]
  return shared !== undefined && stated !== '' && stated !== cloudName
}

/** Host names have no capitals and no underscores. */
const inHostName = (cloudName: string): string => cloudName.toLowerCase().replaceAll('_', '-')

/**
 * Returns the content of an entry with each object of the asset replaced. Returns the same value if nothing
 * changes. An object that is removed leaves no gap in a list.
 */
export function replaceReferences(
  content: unknown,
  held: ReferencedAsset,
  replace: (object: Fields) => Fields | typeof REMOVED
): unknown {
  const visit = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) {
      const items = value.map(visit)
      return items.every((item, index) => item === value[index])
        ? value
        : items.filter((item) => item !== REMOVED)
    }
    const object = value as Fields
    if (isReference(object, held)) return replace(object)
    const entries = Object.entries(object).map(([name, item]) => [name, visit(item)] as const)
    return entries.every(([name, item]) => item === object[name])
      ? value
      : Object.fromEntries(entries.filter(([, item]) => item !== REMOVED))
  }
  return visit(content)
}

/**
 * Returns an object with the state of its asset: name, version, URLs, folder, tags and display name. Sets only
 * fields that the object has, since each CMS stores its own selection. Returns the same object if nothing
 * changes.
 *
 * @param lost names that the asset had: an object without a public id may still have a URL with one
 */
export function updateReference(object: Fields, state: AssetState, lost: readonly AssetName[] = []): Fields {
  const update = (name: string, value: unknown) =>
    name in object && value !== undefined && !isSame(object[name], value) ? { [name]: value } : {}
  const to = { publicId: state.public_id, resourceType: state.resource_type, deliveryType: state.type }
  const held = nameIn(object, to)
  const others = lost.filter((name) => !isDeepStrictEqual(nameOf(name), to))
  const isRenamed = 'public_id' in object ? !isDeepStrictEqual(held, to) : others.length > 0
  const urlOf = (url: unknown, plain: unknown): unknown => {
    if (typeof url !== 'string') return url
    for (const from of [held, ...others]) {
      const renamed = renamedUrl(url, from, to, versionOf(state))
      if (renamed !== undefined) return renamed
    }
    // a form of URL that is not understood: it holds the editor's transformation, and still works
    return isRenamed ? plain : url
  }
  const changes: Fields = {
    ...update('public_id', state.public_id),
    ...update('type', state.type),
    ...update('version', state.version),
    ...update('tags', state.tags),
    ...update('display_name', state.display_name),
    ...update('asset_folder', state.asset_folder),
    // the Media Library Widget's name for it
    ...update('folder', state.asset_folder),
    ...Object.assign(
      {},
      ...Object.entries(URLS).map(([name, plain]) => update(name, urlOf(object[name], state[plain])))
    ),
    ...update('derived', derivedOf(object, urlOf))
  }
  return Object.keys(changes).length === 0 ? object : { ...object, ...changes }
}

/**
 * Returns the derived assets with new URLs, as Sanity's Cloudinary plugin stores them. A URL that cannot be
 * renamed stays.
 *
 * Source:
 * https://github.com/sanity-io/sanity-plugin-cloudinary/blob/main/src/schema/cloudinaryAssetDerived.ts
 */
function derivedOf({ derived }: Fields, urlOf: (url: unknown, plain: unknown) => unknown): unknown {
  if (!Array.isArray(derived)) return undefined
  return derived.map((item: unknown) => {
    if (typeof item !== 'object' || item === null) return item
    const { url, secure_url } = item as Fields
    return {
      ...item,
      ...('url' in item && { url: urlOf(url, url) }),
      ...('secure_url' in item && { secure_url: urlOf(secure_url, secure_url) })
    }
  })
}

/** Returns the name in an object. Fields that the object lacks are those of the asset now. */
const nameIn = ({ public_id, resource_type, type }: Fields, current: AssetName): AssetName => ({
  publicId: String(public_id ?? current.publicId),
  resourceType: String(resource_type ?? current.resourceType),
  deliveryType: String(type ?? current.deliveryType)
})

const nameOf = ({ publicId, resourceType, deliveryType }: AssetName): AssetName => ({
  publicId,
  resourceType,
  deliveryType
})

const versionOf = ({ version }: AssetState): number | undefined =>
  typeof version === 'number' ? version : undefined

/** Returns whether two values are equal. The order of tags does not matter. */
function isSame(one: unknown, other: unknown): boolean {
  const areTexts = (list: unknown): list is string[] =>
    Array.isArray(list) && list.every((item) => typeof item === 'string')
  if (areTexts(one) && areTexts(other)) return isDeepStrictEqual(one.toSorted(), other.toSorted())
  return isDeepStrictEqual(one, other)
}
