import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { digest } from '../../ingest/event-identity.ts'
import type { CloudEvent } from '../cloud-event.ts'

/** An object with the events of one day. */
export interface ArchiveObject {
  key: string
  /** Ids of its events. */
  ids: readonly string[]
  body: Buffer
}

const compress = promisify(gzip)

/**
 * Returns an object for each day (UTC) of the events: JSON lines, compressed. The day is that of the change, so a
 * repeated event is in the same folder as the first one. The same events always get the same key.
 *
 * @param prefix empty, or with a slash at the end
 */
export async function archiveObjects(
  prefix: string,
  events: readonly CloudEvent[]
): Promise<ArchiveObject[]> {
  const days = Map.groupBy(events, ({ time }) => time.slice(0, 10))
  return Promise.all(
    [...days].map(async ([day, ofDay]) => {
      const first = ofDay.map(({ time }) => time).reduce((a, b) => (a < b ? a : b))
      const ids = ofDay.map(({ id }) => id)
      const name = `${first.replace(/[-:]/g, '')}-${digest(...ids.toSorted())}`
      return {
        ids,
        key: `${prefix}dt=${day}/${name}.jsonl.gz`,
        body: await compress(ofDay.map((event) => `${JSON.stringify(event)}\n`).join(''))
      }
    })
  )
}
