import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Recorder } from '../../../dev/cloudinary/recorder.ts'

export interface OrderLog {
  url: string
  /** Ids of events, in the order in which the processor ran. */
  entries: Recorder<string>
  stop: () => Promise<void>
}

/**
 * Starts the server that the `order-log` processor writes to: an effect outside Cloudinary, without
 * deduplication.
 */
export async function startOrderLog(): Promise<OrderLog> {
  const entries = new Recorder<string>(1_000_000)
  const server = createServer((request, response) => {
    text(request).then(
      (eventId) => {
        entries.add(eventId)
        entries.settle(eventId)
        response.writeHead(204).end()
      },
      // a process that is killed during the write has no effect
      () => response.destroy()
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    entries,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}
