import type { Delivery } from '../cloudinary/cloudinary-server.ts'
import type { LogLine } from './role-process.ts'

export interface Journey {
  /** Unix time, milliseconds. */
  uploadedAt: number
  deliveries: readonly Delivery[]
  lines: readonly LogLine[]
}

interface Step {
  at: number
  name: string
  detail: string
}

/** Describes the steps of an upload in order, one line each, with the milliseconds since the upload. */
export function describeJourney({ uploadedAt, deliveries, lines }: Journey): string[] {
  const steps: Step[] = [
    { at: uploadedAt, name: 'uploaded', detail: "with a colleague's API key" },
    ...deliveries.map(({ time, notificationType }) => ({
      at: time,
      name: 'notified',
      detail: `${notificationType}, signed, by the Cloudinary stand-in`
    })),
    ...lines.flatMap((line) => stepOf(line) ?? [])
  ]
  return steps
    .filter(({ at }) => at >= uploadedAt)
    .sort((a, b) => a.at - b.at)
    .map(({ at, name, detail }) => `${String(at - uploadedAt).padStart(6)} ms  ${name.padEnd(13)} ${detail}`)
}

function stepOf(line: LogLine): Step | undefined {
  const at = Date.parse(line.time ?? '')
  switch (line.msg) {
    case 'notification accepted':
      return {
        at,
        name: 'acknowledged',
        detail: `${line.type}: signature verified, ${line.events} event stored in SQS, answered 200`
      }
    case 'event processed':
      return { at, name: 'processed', detail: `${line.type}: ${line.processor}: ${line.note ?? 'done'}` }
    case 'event ignored':
      return { at, name: 'ignored', detail: `${line.type}: ${line.reason}` }
    case 'event failed; will be retried':
      return {
        at,
        name: 'failed',
        detail: `${line.type}: ${line.processor}: ${errorOf(line)}; retry in ${line.retryInSeconds} s`
      }
    case 'event dead-lettered':
      return { at, name: 'dead-lettered', detail: `${line.type}: ${line.processor}: ${errorOf(line)}` }
    default:
      return undefined
  }
}

/** Returns the error of a log line, on one line. */
function errorOf({ err }: LogLine): string {
  const { type, message } = err as { type: string; message: string }
  return `${type}: ${message}`.replace(/\s*\n\s*/g, ' ')
}

/** Says which processors are being retried, and why: `chat is being retried (CHAT_UNAVAILABLE)`. */
export function retriedProcessors(lines: readonly LogLine[]): string[] {
  const retried = new Map<string, string>()
  for (const { msg, eventId, processor, err } of lines) {
    const run = `${eventId} ${processor}`
    if (msg === 'event processed' || msg === 'event dead-lettered') retried.delete(run)
    if (msg !== 'event failed; will be retried') continue
    const { code, type } = err as { code?: string; type: string }
    retried.set(run, `${processor} is being retried (${code ?? type})`)
  }
  return [...new Set(retried.values())]
}
