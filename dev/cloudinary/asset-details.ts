import { isDeepStrictEqual } from 'node:util'
import { ApiError } from './api-error.ts'
import type { AccessRule, Asset } from './asset-store.ts'
import {
  accessControlNotification,
  displayNameNotification,
  moveNotification,
  type Notification
} from './notifications.ts'
import { textOf, type Values } from './values.ts'

/** Fields of an asset that `explicit` of the Upload API and `update` of the Admin API set. */
export interface Details {
  /** The asset folder; empty for the root folder. */
  assetFolder?: string | undefined
  displayName?: string | undefined
  accessControl?: AccessRule[] | undefined
}

/**
 * Reads the details in a call.
 *
 * Source: https://cloudinary.com/documentation/image_upload_api_reference#explicit
 *
 * @throws {ApiError} 400
 */
export function detailsIn(values: Values): Details {
  const { asset_folder: folder } = values
  return {
    ...(typeof folder === 'string' && { assetFolder: folder }),
    displayName: textOf(values, 'display_name'),
    accessControl: accessControlIn(values)
  }
}

function accessControlIn(values: Values): AccessRule[] | undefined {
  const text = textOf(values, 'access_control')
  if (text === undefined) return undefined
  try {
    const rules: unknown = JSON.parse(text)
    if (Array.isArray(rules) && rules.every(isRule)) return rules
  } catch {
    // refused below
  }
  throw new ApiError(400, `Invalid value ${text} for parameter access_control`)
}

const isRule = (rule: unknown): rule is AccessRule =>
  ['token', 'anonymous'].includes((rule as AccessRule | null)?.access_type ?? '')

/** Sets details of an asset. Returns a notification for each that changes. */
export function changeDetails(
  asset: Asset,
  { assetFolder, displayName, accessControl }: Details
): Notification[] {
  const { assetFolder: folder, displayName: name, accessControl: access } = asset
  const notifications: Notification[] = []
  if (assetFolder !== undefined && assetFolder !== folder) {
    asset.assetFolder = assetFolder
    notifications.push(moveNotification(asset, folder))
  }
  if (displayName !== undefined && displayName !== name) {
    asset.displayName = displayName
    notifications.push(displayNameNotification(asset, name))
  }
  if (accessControl !== undefined && !isDeepStrictEqual(accessControl, access)) {
    asset.accessControl = accessControl
    notifications.push(accessControlNotification(asset, access))
  }
  return notifications
}
