import type { Environments } from '../credentials/environments.ts'
import { ListenerError } from '../errors.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { EventSender } from '../queue/event-sender.ts'
import type { ReceiveSpan } from '../tracing/tracing.ts'
import type { AssetEvent, EventType } from './event.ts'
import { toEvents } from './notification.ts'
import type { Refusal } from './refused-samples.ts'
import { checkHeaders, type HeaderOutcome, type SignatureHeaders, verifySignature } from './signature.ts'

export interface IngestOptions {
  environments: Pick<Environments, 'verificationKeys' | 'refreshAfterFailedSignature' | 'isOwnKey'>
  sender: Pick<EventSender, 'store'>
  metrics: Metrics
  /** The role that receives the notifications. */
  role?: AssetEvent['source']
  /** Called with each refused notification. Must not throw. */
  onRefused?: (refusal: Refusal) => void
  /** Maximum age of a notification. */
  toleranceSeconds: number
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Maximum time to store a notification in the queue, in milliseconds. (Default: 8000) */
  storeTimeoutMs?: number
}

export type WellFormedHeaders = Extract<HeaderOutcome, { outcome: 'well-formed' }>

/** A received notification, not yet verified. */
export interface Notification<Headers = SignatureHeaders> {
  /** The exact signed bytes. */
  body: Uint8Array
  headers: Headers
  traceId?: string | undefined
  /** Set while tracing is on. */
  span?: ReceiveSpan | undefined
}

/** What may be logged of an authentic notification. Excludes the payload. */
export interface NotificationSummary {
  environment: string
  type: EventType | undefined
  notificationType: string | null | undefined
  /** Ids of the first 20 events. */
  ids: string[]
}

/**
 * `refused` is final. After `unavailable` the notification may be retried: some of its events may be stored
 * already, and are deduplicated.
 */
export type IngestOutcome =
  | { outcome: 'accepted'; events: number; summary: NotificationSummary }
  | {
      outcome: 'refused'
      code: Extract<HeaderOutcome, { outcome: 'refused' }>['code'] | 'EVENT_TOO_LARGE'
      reason: string
      /** Undefined unless the notification is authentic. */
      summary?: NotificationSummary
    }
  | {
      outcome: 'unavailable'
      code: 'QUEUE_UNAVAILABLE'
      reason: string
      error: unknown
      summary: NotificationSummary
    }

const STORE_TIMEOUT_MS = 8000

const TIMED_OUT = 'SQS has not stored the events in time'

/** Maximum number of ids in a log line. A notification may have a thousand events. */
const LOGGED_IDS = 20

/**
 * Verifies notifications, converts them into one event per asset, and stores the events. Only an `accepted`
 * notification may be acknowledged to Cloudinary.
 */
export class Ingest {
  readonly #options: IngestOptions

  constructor(options: IngestOptions) {
    this.#options = options
  }

  /** Runs `check` and `store`. */
  async receive(notification: Notification): Promise<IngestOutcome> {
    const headers = this.check(notification.headers)
    return headers.outcome === 'refused' ? headers : this.store({ ...notification, headers })
  }

  /** Checks form and age of the headers, before the body is read. */
  check(headers: SignatureHeaders): HeaderOutcome {
    const outcome = checkHeaders(headers, this.#options)
    if (outcome.outcome === 'refused') {
      this.#count(outcome)
      this.#options.onRefused?.({ code: outcome.code, headers })
    }
    return outcome
  }

  /** Verifies the body, then parses it and stores its events. */
  async store(notification: Notification<WellFormedHeaders>): Promise<IngestOutcome> {
    const outcome = await this.#store(notification)
    this.#count(outcome)
    if (outcome.outcome === 'refused') {
      const { digest, timestamp } = notification.headers
      const headers = { signature: digest.toString('hex'), timestamp }
      this.#options.onRefused?.({ code: outcome.code, headers, bytes: notification.body.length })
    }
    return outcome
  }

  async #store(notification: Notification<WellFormedHeaders>): Promise<IngestOutcome> {
    const { environments } = this.#options
    const { body, headers, span } = notification
    let verification = verifySignature(body, headers, environments.verificationKeys())
    if (verification.outcome === 'refused' && (await environments.refreshAfterFailedSignature())) {
      verification = verifySignature(body, headers, environments.verificationKeys())
    }
    if (verification.outcome === 'refused') return verification

    const { cloudName } = verification.key
    return span
      ? span.run(cloudName, () => this.#storeEvents(notification, cloudName))
      : this.#storeEvents(notification, cloudName)
  }

  async #storeEvents(
    { body, headers, traceId }: Notification<WellFormedHeaders>,
    cloudName: string
  ): Promise<IngestOutcome> {
    const { environments, sender, role, clock, storeTimeoutMs = STORE_TIMEOUT_MS } = this.#options
    const events = toEvents(body, {
      environment: cloudName,
      isOwnKey: (apiKey) => environments.isOwnKey(cloudName, apiKey),
      receivedAt: new Date(clock()),
      signedAt: Number(headers.timestamp),
      ...(role && { source: role }),
      ...(traceId && { traceId })
    })
    const summary: NotificationSummary = {
      environment: cloudName,
      type: events[0]?.type,
      notificationType: events[0]?.notificationType,
      ids: events.slice(0, LOGGED_IDS).map(({ id }) => id)
    }
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(new DOMException(TIMED_OUT, 'TimeoutError')), storeTimeoutMs)
    try {
      await sender.store(events, abort.signal)
    } catch (error) {
      return { ...toOutcome(error), summary }
    } finally {
      clearTimeout(timer)
    }
    return { outcome: 'accepted', events: events.length, summary }
  }

  #count(outcome: IngestOutcome): void {
    const { metrics } = this.#options
    switch (outcome.outcome) {
      case 'accepted':
        metrics.count('NotificationsAccepted', 1)
        metrics.count('EventsStored', outcome.events)
        return
      case 'refused':
        metrics.count('NotificationsRefused', 1, { Reason: outcome.code })
        return
      case 'unavailable':
        metrics.count('NotificationsUnavailable', 1, { Reason: outcome.code })
    }
  }
}

function toOutcome(error: unknown) {
  if (error instanceof ListenerError && error.code === 'EVENT_TOO_LARGE') {
    return { outcome: 'refused', code: error.code, reason: error.message } as const
  }
  return {
    outcome: 'unavailable',
    code: 'QUEUE_UNAVAILABLE',
    reason: 'SQS did not store every event',
    error
  } as const
}
