import type { AssetEvent } from '../../ingest/event.ts'
import type { Render } from '../notify/text-template.ts'
import { singleLine } from '../single-line.ts'

/** The part of a message that is about one event. */
export interface ChatItem {
  /** The text, which may have several lines. */
  text: string
  /** A smaller line below the text. */
  details: string
  /** URL of an image. */
  thumbnail?: string
  /** URL to open. */
  link?: string
}

/** Maximum length of a text, in characters. Slack allows 3,000 in a section; escaping may double it. */
export const MAX_TEXT = 1500

/** Maximum length of a URL, in characters. Source: https://docs.slack.dev/reference/block-kit/block-elements/image-element */
const MAX_URL = 3000

/** Cuts a text to a number of UTF-16 units, without splitting a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** Replaces control characters, except line breaks, and lone surrogates. */
export const cleanText = (text: string): string => text.toWellFormed().replace(CONTROL_CHARACTERS, ' ').trim()

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it matches
const CONTROL_CHARACTERS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g

/** Says what happened to which asset. */
export const defaultText: Render = (event) => {
  const { type, asset, payload } = event
  const name = nameOf(payload.display_name) ?? asset?.publicId ?? asset?.assetId
  switch (type) {
    case 'upload':
      return `${name} was uploaded`
    case 'rename':
      return `${nameOf(payload.from_public_id) ?? 'an asset'} was renamed to ${asset?.publicId}`
    case 'delete':
      return `${name} was deleted`
    default:
      return [type.replaceAll('_', ' '), name].filter(Boolean).join(': ')
  }
}

/** Describes an event in a few words: `demo · upload · image · png · 640 × 480`. */
export function detailsOf({ environment, type, asset, payload }: AssetEvent): string {
  const { format, width, height } = payload
  const size = typeof width === 'number' && typeof height === 'number' ? `${width} × ${height}` : undefined
  return [environment, type.replaceAll('_', ' '), asset?.resourceType, nameOf(format), size]
    .filter((part) => part !== undefined)
    .join(' · ')
}

/** Returns an absolute URL of http or https in its normal form; undefined for anything else. */
export function webAddress(given: string | undefined): string | undefined {
  const url = given === undefined ? null : URL.parse(given)
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:'
  return isWeb && url.href.length <= MAX_URL ? url.href : undefined
}

const nameOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? cut(singleLine(value), 300) : undefined
