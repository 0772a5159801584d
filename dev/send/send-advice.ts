import type { Body } from '../../app/testing/samples/sample-asset.ts'
import { codeOf, type Outcome } from './send-many.ts'
import { DEFECTS, type SendOptions } from './send-options.ts'
import type { NotificationRequest } from './signed-request.ts'

export interface AssetIds {
  publicId?: string
  assetId?: string
}

/** Returns the assets that a notification names: at the top level, in a list, or in a map by public id. */
export function assetsOf(notification: Body | null): AssetIds[] {
  if (notification === null) return []
  const many = notification.resources ?? notification.assets
  if (Array.isArray(many)) return many.filter(isBody).map((each) => idsOf(each))
  if (isBody(many)) return Object.entries(many).map(([publicId, each]) => ({ ...idsOf(each), publicId }))
  const ids = idsOf(notification)
  return Object.keys(ids).length === 0 ? [] : [ids]
}

/** Describes the author of the change, according to the notification. */
export function authorOf(notification: Body | null): string {
  const context = notification?.notification_context
  const by = isBody(context) ? context.triggered_by : undefined
  if (!isBody(by)) return 'not stated in the body'
  return by.source === 'api' ? `API key ${by.id}` : `${by.source} ${by.id}`
}

function idsOf(value: unknown): AssetIds {
  if (!isBody(value)) return {}
  const publicId = value.public_id ?? value.from_public_id
  return {
    ...(typeof publicId === 'string' && { publicId }),
    ...(typeof value.asset_id === 'string' && { assetId: value.asset_id })
  }
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null
}

/** Explains the outcome, and where to look next. */
export function advise(options: SendOptions, request: NotificationRequest, outcome: Outcome): string {
  if (outcome.kind === 'unanswered') return unanswered(options.url, outcome.reason)
  const { status, body } = outcome
  if (options.defect !== undefined) return refused(options.defect, status, body)
  switch (status) {
    case 200:
      return accepted(options, request)
    case 401:
      return `${meaningOf(codeOf(body))}. Does the listener have the same secret as this command (CLOUDINARY_URL, or --key and --secret)?`
    case 404:
      return 'There is no such route; the webhook is at /webhooks/cloudinary (see --url).'
    case 413:
      return 'The body exceeds BODY_LIMIT_BYTES, or an event exceeds the size of a queue message. Try fewer --resources.'
    case 503:
      return 'The listener acknowledged nothing, and Cloudinary would retry. QUEUE_UNAVAILABLE: its queue did not store the events, and GET /ready answers 503 until the queue is reachable. OVERLOADED and STARTING: try again; see its log.'
    default:
      return `To Cloudinary, any status except 200 is a failed delivery, and it would retry. See the listener's log.`
  }
}

function accepted(options: SendOptions, request: NotificationRequest): string {
  const stored = 'It is stored in the queue.'
  if (options.own && options.type !== 'eager' && options.file === undefined) {
    return `${stored} It is the listener's own change (--own): only processors with ownChanges run; otherwise the worker logs "event ignored".`
  }
  const [asset] = assetsOf(request.notification)
  // field of the worker's log line
  const field = asset === undefined ? { type: options.type } : { asset: asset.publicId ?? asset.assetId }
  const log = `The worker logs "event processed" for each processor that runs, or "event ignored", with ${JSON.stringify(field).slice(1, -1)}.`
  if (options.file !== undefined || options.type !== 'upload') return `${stored} ${log}`
  const sample =
    'The asset is a sample that Cloudinary does not have, so most processors skip it as deleted. To see them change an asset, upload one to the stand-in; npm start prints the command.'
  return `${stored} ${log} ${sample}`
}

function refused(defect: keyof typeof DEFECTS, status: number, body: string): string {
  const { code, meaning } = DEFECTS[defect]
  if (status === 401 && codeOf(body) === code)
    return `As expected: --${defect} is answered ${code}: ${meaning}.`
  return `--${defect} should be answered 401 ${code}: ${meaning}. Is this the listener, with its default settings?`
}

function unanswered(url: string, reason: string): string {
  if (reason === 'ECONNREFUSED') {
    return `Nothing listens at ${url}. Start the listener with \`npm start\`, or set its address with --url or PORT.`
  }
  return `${url} did not answer (${reason}). Is it the listener's address?`
}

function meaningOf(code: string | undefined): string {
  const known = Object.values(DEFECTS).find((defect) => defect.code === code)
  return known === undefined ? 'Refused' : `${known.code}: ${known.meaning}`
}
