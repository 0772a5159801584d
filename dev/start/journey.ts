import type { Delivery } from '../cloudinary/server.ts'
import type { LogLine } from './child.ts'

export interface Journey {
  /** Unix time, milliseconds. */
  uploadedAt: number
  deliveries: readonly Delivery[]
  lines: readonly LogLine[]
}

interface Step {
  at: number
  what: string
  detail: string
}

/** What happened to an upload, in the order it happened, one line a step, with milliseconds since the upload. */
export function describeJourney({ uploadedAt, deliveries, lines }: Journey): string[] {
  const steps: Step[] = [
    { at: uploadedAt, what: 'uploaded', detail: "with a colleague's API key" },
    ...deliveries.map(({ time, notificationType }) => ({
      at: time,
      what: 'notified',
      detail: `${notificationType}, signed, by the Cloudinary stand-in`
    })),
    ...lines.flatMap((line) => stepOf(line) ?? [])
  ]
  return steps
    .filter(({ at }) => at >= uploadedAt)
    .sort((a, b) => a.at - b.at)
    .map(({ at, what, detail }) => `${String(at - uploadedAt).padStart(6)} ms  ${what.padEnd(13)} ${detail}`)
}

function stepOf(line: LogLine): Step | undefined {
  const at = Date.parse(line.time ?? '')
  switch (line.msg) {
    case 'notification accepted':
      return {
        at,
        what: 'acknowledged',
        detail: `${line.type}: signature verified, ${line.events} event stored in SQS, answered 200`
      }
    case 'event processed':
      return { at, what: 'processed', detail: `${line.type}: ${line.processor}: ${line.note ?? 'done'}` }
    case 'event ignored':
      return { at, what: 'ignored', detail: `${line.type}: ${line.reason}` }
    case 'event failed; will be retried':
      return {
        at,
        what: 'failed',
        detail: `${line.type}: ${line.processor}: ${errorOf(line)}; again in ${line.retryInSeconds} s`
      }
    case 'event dead-lettered':
      return { at, what: 'dead-lettered', detail: `${line.type}: ${line.processor}: ${errorOf(line)}` }
    default:
      return undefined
  }
}

/** The message of a line's error, in one line. */
function errorOf({ err }: LogLine): string {
  const { type, message } = err as { type: string; message: string }
  return `${type}: ${message}`.replace(/\s*\n\s*/g, ' ')
}
