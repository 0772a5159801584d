import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import type { Test } from 'tap'

/** A secret of 24 bytes in the format of Standard Webhooks. */
export const FORWARD_SECRET = `whsec_${Buffer.from('a secret of 24 bytes yes').toString('base64')}`

export interface ReceivedRequest {
  method: string | undefined
  path: string | undefined
  headers: IncomingHttpHeaders
  body: string
}

/** A response: a status, or more; `hang` never answers, `cut` closes the connection. */
export type Answer =
  | number
  | 'hang'
  | 'cut'
  | { status: number; headers?: Record<string, string>; body?: string | Uint8Array; cutOff?: boolean }

/** Starts a receiver for `forward`. It gives the answers in order and repeats the last one. */
export async function buildReceiver(t: Test, ...answers: [Answer, ...Answer[]]) {
  const requests: ReceivedRequest[] = []
  const waiting = new Set<() => void>()
  const server = createServer(async (request, response) => {
    const body = await text(request)
    requests.push({ method: request.method, path: request.url, headers: request.headers, body })
    for (const arrived of waiting) arrived()
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) as Answer
    if (answer === 'hang') return
    if (answer === 'cut') return request.socket.destroy()
    const {
      status,
      headers,
      body: content,
      cutOff
    } = typeof answer === 'number' ? { status: answer } : answer
    response.writeHead(status, headers)
    if (!cutOff) return response.end(content)
    response.write(content, () => request.socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  t.teardown(close)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/assets`,
    requests,
    close,
    /** Resolves when this number of requests has arrived. */
    async received(count: number): Promise<void> {
      while (requests.length < count) await new Promise<void>((resolve) => waiting.add(resolve))
    },
    /** Returns the bodies, verified by the official library. @throws {WebhookVerificationError} */
    verified: (secret = FORWARD_SECRET) =>
      requests.map(({ body, headers }) =>
        new Webhook(secret).verify(body, headers as Record<string, string>)
      ) as Record<string, unknown>[]
  }
}
