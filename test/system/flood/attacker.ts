import { connect, type Socket } from 'node:net'
import { rawRequest } from '../../support/raw-http.ts'

export interface Attack {
  port: number
  /** Number of parallel bodies. */
  connections: number
  bodyBytes: number
  /** Duration of the attack, in milliseconds. */
  forMs: number
}

/** Number of responses by status; `none` for a connection closed without a response. */
export type Answers = Record<string, number>

interface Sender {
  socket: Socket
  /** Resolves with the status, or `none`. */
  answered: Promise<string>
}

/** Sends a head with a valid timestamp and a wrong signature, and the body except its last byte. */
function begin(port: number, body: Buffer): Sender & { sent: Promise<unknown> } {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const answered = new Promise<string>((resolve) => {
    socket.once('data', (chunk) => resolve(/^HTTP\/1\.1 (\d{3})/.exec(String(chunk))?.[1] ?? 'none'))
    socket.once('close', () => resolve('none'))
  })
  socket.write(
    rawRequest({
      headers: [
        ['Host', 'localhost'],
        ['Content-Length', String(body.length)],
        ['X-Cld-Timestamp', String(Math.floor(Date.now() / 1000))],
        ['X-Cld-Signature', '0'.repeat(40)]
      ]
    })
  )
  const sent = new Promise((resolve) => socket.write(body.subarray(1), resolve))
  return { socket, answered, sent }
}

/**
 * Sends all bodies up to their last byte, waits until each is sent or refused, then completes them together.
 */
async function wave(port: number, connections: number, body: Buffer): Promise<string[]> {
  const senders = Array.from({ length: connections }, () => begin(port, body))
  await Promise.all(senders.map(({ sent, answered }) => Promise.race([sent, answered])))
  for (const { socket } of senders) socket.write('x')
  const statuses = await Promise.all(senders.map(({ answered }) => answered))
  for (const { socket } of senders) socket.destroy()
  return statuses
}

// a separate process, so that the attack does not slow the measured traffic down
process.once('message', async ({ port, connections, bodyBytes, forMs }: Attack) => {
  const body = Buffer.alloc(bodyBytes, 'x')
  const answers: Answers = {}
  const end = performance.now() + forMs
  do {
    for (const status of await wave(port, connections, body)) answers[status] = (answers[status] ?? 0) + 1
  } while (performance.now() < end)
  process.send?.(answers)
})
