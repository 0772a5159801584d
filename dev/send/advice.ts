import { assetsOf } from './about.ts'
import { DEFECTS } from './defects.ts'
import type { Outcome } from './deliver.ts'
import type { SendOptions } from './options.ts'
import type { NotificationRequest } from './request.ts'

/** Whether the listener did what it should have, given the flags. */
export function isExpected(options: SendOptions, outcome: Outcome): boolean {
  if (outcome.kind === 'unanswered') return false
  if (options.defect === undefined) return outcome.status === 200
  return outcome.status === 401 && codeOf(outcome.body) === DEFECTS[options.defect].code
}

/** What the outcome means and where to look next. */
export function advise(options: SendOptions, request: NotificationRequest, outcome: Outcome): string {
  if (outcome.kind === 'unanswered') return unanswered(options.url, outcome.reason)
  const { status, body } = outcome
  if (options.defect !== undefined) return refused(options.defect, status, body)
  switch (status) {
    case 200:
      return accepted(options, request)
    case 401:
      return `${meaningOf(codeOf(body))}. Nothing was wrong on purpose: is the listener configured with the same secret as this command (CLOUDINARY_URL, or --key and --secret)?`
    case 404:
      return 'There is no such route: the listener receives at /webhooks/cloudinary, see --url.'
    case 413:
      return 'The body is over BODY_LIMIT_BYTES, or an event over what a queue message can hold. Try fewer --resources.'
    case 503:
      return 'The listener could not store the events in its queue, and acknowledged nothing. Its log says why; GET /ready is 503 as long as the queue is away. Cloudinary would send it again.'
    default:
      return `Cloudinary takes anything but a 200 for a failed delivery, and would send it again. The listener's log says why.`
  }
}

function accepted(options: SendOptions, request: NotificationRequest): string {
  const stored = 'It is stored in the queue.'
  if (options.own && options.type !== 'eager' && options.file === undefined) {
    return `${stored} It counts as the listener's own change (--own): only processors that ask for own changes run; else the worker logs "event ignored".`
  }
  const [asset] = assetsOf(request.notification)
  // as the worker logs it
  const field = asset === undefined ? { type: options.type } : { asset: asset.publicId ?? asset.assetId }
  const log = `The worker logs "event processed" for each processor that runs, or "event ignored", with ${JSON.stringify(field).slice(1, -1)}.`
  if (options.file !== undefined || options.type !== 'upload') return `${stored} ${log}`
  const sample =
    'The asset is a sample that no Cloudinary has, so most processors note "skipped: the asset was deleted meanwhile". To see them act, upload to the stand-in: npm start says how.'
  return `${stored} ${log} ${sample}`
}

function refused(defect: keyof typeof DEFECTS, status: number, body: string): string {
  const { code, meaning } = DEFECTS[defect]
  if (status === 401 && codeOf(body) === code)
    return `As it should: --${defect} makes it ${code}, ${meaning}.`
  return `--${defect} should have been answered 401 ${code}: ${meaning}. Is this the listener, and with its default settings?`
}

function unanswered(url: string, reason: string): string {
  if (reason === 'ECONNREFUSED') {
    return `Nothing listens at ${url}. Start the listener with \`npm start\` first, or say where it is with --url or PORT.`
  }
  return `${url} did not answer (${reason}). Is it the listener's address?`
}

function meaningOf(code: string | undefined): string {
  const known = Object.values(DEFECTS).find((defect) => defect.code === code)
  return known === undefined ? 'Refused' : `${known.code}: ${known.meaning}`
}

function codeOf(body: string): string | undefined {
  return /"code"\s*:\s*"([A-Z_]+)"/.exec(body)?.[1]
}
