import { createHash } from 'node:crypto'
import { PermanentError } from '../../errors.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import { messageId } from '../message-id.ts'

/** What a site has to refresh. */
export interface PublishChange {
  /** Ids of the events, sorted, so that they are the same for each attempt. */
  ids: string[]
  /** Paths that begin with a slash, percent-encoded. */
  paths: string[]
  tags: string[]
}

/** Returns a list of texts for an event. */
export type ListOf = (event: AssetEvent) => readonly string[]

/** Returns the tags of an asset: one that all assets share, and one for each of its names. */
export const defaultTags: ListOf = ({ asset, payload }) => {
  const names = new Set([payload.from_public_id, asset?.publicId].filter((name) => typeof name === 'string'))
  return ['cloudinary', ...[...names].map((name) => `cloudinary:${name}`)]
}

/** @throws {PermanentError} PUBLISH_INVALID if a function returns anything else than texts, or an invalid path */
export function changeFor(
  event: AssetEvent,
  { name, paths, tags }: { name: string; paths: ListOf; tags: ListOf }
): PublishChange {
  const texts = (option: string, given: unknown) => {
    if (Array.isArray(given) && given.every((each) => typeof each === 'string' && each !== '')) return given
    throw invalid(`\`${option}\` must return a list of texts`)
  }
  return {
    ids: [messageId(event, name)],
    paths: texts('paths', paths(event)).map(encoded),
    tags: texts('tags', tags(event))
  }
}

/** Returns one change for several, without duplicates. */
export function merged(changes: readonly PublishChange[]): PublishChange {
  const unique = (list: (change: PublishChange) => string[]) => [...new Set(changes.flatMap(list))].sort()
  return {
    ids: unique(({ ids }) => ids),
    paths: unique(({ paths }) => paths),
    tags: unique(({ tags }) => tags)
  }
}

/** Identifies a change: the same for the same events and paths. */
export const referenceOf = ({ ids, paths }: PublishChange): string =>
  createHash('sha256')
    .update(JSON.stringify([ids, paths]))
    .digest('hex')

function encoded(path: string): string {
  if (!path.startsWith('/') || /\*./.test(path)) {
    throw invalid(`the path ${path} must begin with a slash, and may have a * only at its end`)
  }
  return path.toWellFormed().replace(/[^\u0021-\u007e]/gu, encodeURIComponent)
}

const invalid = (message: string) => new PermanentError(message, { code: 'PUBLISH_INVALID' })
