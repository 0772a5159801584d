import type { ServerResponse } from 'node:http'

/** Returns a signal that aborts if the client disconnects before the response is complete. */
export function clientSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  return gone.signal
}
