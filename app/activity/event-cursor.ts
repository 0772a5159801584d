import { FilterError } from './event-filter.ts'

/** A place in the list of events, which is ordered by the time received, then by id. */
export interface EventPosition {
  receivedAt: string
  id: string
}

const POSITION = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([^\s]{1,200})$/

/** Returns the cursor of a place, opaque to clients and safe in a URL. */
export const encodeCursor = ({ receivedAt, id }: EventPosition): string =>
  Buffer.from(`${receivedAt} ${id}`).toString('base64url')

/**
 * Decodes a cursor.
 *
 * @throws {FilterError} FILTER_INVALID if the text is not a cursor
 */
export function decodeCursor(cursor: string): EventPosition {
  const [, receivedAt, id] = POSITION.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (receivedAt === undefined || id === undefined)
    throw new FilterError('cursor', 'is not of an earlier page')
  return { receivedAt, id }
}

/** Orders newest first. */
export function newestFirst(a: EventPosition, b: EventPosition): number {
  if (a.receivedAt !== b.receivedAt) return a.receivedAt < b.receivedAt ? 1 : -1
  if (a.id === b.id) return 0
  return a.id < b.id ? 1 : -1
}
