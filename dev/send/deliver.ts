import type { NotificationRequest } from './request.ts'

/** Cloudinary gives a listener 20 s to answer, and then takes the delivery for failed. */
const TIMEOUT_MS = 20_000

export type Outcome =
  | { kind: 'answered'; status: number; body: string; ms: number }
  | { kind: 'unanswered'; reason: string; ms: number }

export interface Transport {
  fetch: typeof fetch
  /** A clock for durations, in milliseconds. */
  elapsed: () => number
}

/** Posts a notification and tells what became of it; never throws. */
export async function deliver(
  url: string,
  request: NotificationRequest,
  transport: Transport
): Promise<Outcome> {
  const start = transport.elapsed()
  const ms = () => transport.elapsed() - start
  try {
    const response = await transport.fetch(url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      // Cloudinary follows no redirect: anything but a 200 is a failed delivery.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS)
    })
    return { kind: 'answered', status: response.status, body: await response.text(), ms: ms() }
  } catch (error) {
    return { kind: 'unanswered', reason: reasonOf(error), ms: ms() }
  }
}

/** `ECONNREFUSED` and the like where the network said no, else the error's own words. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message
  return error.name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS / 1000} s` : error.message
}
