import type { Environments } from '../credentials/environments.ts'
import { ListenerError } from '../errors.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { EventSender } from '../queue/event-sender.ts'
import type { EventType } from './event.ts'
import { toEvents } from './notification.ts'
import { checkHeaders, type HeaderVerdict, type SignatureHeaders, verifySignature } from './signature.ts'

export interface IngestOptions {
  environments: Pick<Environments, 'verificationKeys' | 'refreshAfterFailedSignature' | 'isOwnKey'>
  sender: Pick<EventSender, 'store'>
  metrics: Metrics
  /** How old a notification may be. */
  toleranceSeconds: number
  /** Milliseconds since the epoch. */
  clock: () => number
  /** How long the queue may take to store a notification, in milliseconds. */
  storeTimeoutMs: number
}

export type WellFormedHeaders = Extract<HeaderVerdict, { outcome: 'well-formed' }>

/** A notification as it came, whoever brought it. */
export interface Notification<Headers = SignatureHeaders> {
  /** The exact bytes that are signed. */
  body: Uint8Array
  headers: Headers
  traceId?: string | undefined
}

/** What may be logged of an authentic notification: nothing of its payload. */
export interface About {
  environment: string
  type: EventType | undefined
  notificationType: string | null | undefined
  /** Of the first events; a notification may be about a thousand assets. */
  ids: string[]
}

/**
 * What became of a notification. `refused`: it will never be accepted as it is. `unavailable`: nothing was acknowledged,
 * though part of its events may be stored; they are recognised when it comes again.
 */
export type IngestOutcome =
  | { outcome: 'accepted'; events: number; about: About }
  | {
      outcome: 'refused'
      code: Extract<HeaderVerdict, { outcome: 'refused' }>['code'] | 'EVENT_TOO_LARGE'
      reason: string
      /** Undefined while it is not known to be authentic. */
      about?: About
    }
  | { outcome: 'unavailable'; code: 'QUEUE_UNAVAILABLE'; reason: string; error: unknown; about: About }

/** Ids in a log line. */
const LOGGED_IDS = 20

/**
 * The way in, for every role that takes notifications: verifies the bytes, turns them into one event for each asset,
 * and stores those. Only what is `accepted` may be acknowledged to Cloudinary.
 */
export class Ingest {
  readonly #options: IngestOptions

  constructor(options: IngestOptions) {
    this.#options = options
  }

  /** Both steps at once. */
  async receive(notification: Notification): Promise<IngestOutcome> {
    const headers = this.check(notification.headers)
    return headers.outcome === 'refused' ? headers : this.store({ ...notification, headers })
  }

  /** The first step, which needs no body: form and age. */
  check(headers: SignatureHeaders): HeaderVerdict {
    const verdict = checkHeaders(headers, this.#options)
    if (verdict.outcome === 'refused') this.#count(verdict)
    return verdict
  }

  /** The second step: nothing parses the body before a secret has verified it. */
  async store(notification: Notification<WellFormedHeaders>): Promise<IngestOutcome> {
    const outcome = await this.#store(notification)
    this.#count(outcome)
    return outcome
  }

  async #store({ body, headers, traceId }: Notification<WellFormedHeaders>): Promise<IngestOutcome> {
    const { environments, sender, clock, storeTimeoutMs } = this.#options
    let verdict = verifySignature(body, headers, environments.verificationKeys())
    if (verdict.outcome === 'refused' && (await environments.refreshAfterFailedSignature())) {
      verdict = verifySignature(body, headers, environments.verificationKeys())
    }
    if (verdict.outcome === 'refused') return verdict

    const { cloudName } = verdict.key
    const events = toEvents(body, {
      environment: cloudName,
      isOwnKey: (apiKey) => environments.isOwnKey(cloudName, apiKey),
      receivedAt: new Date(clock()),
      signedAt: Number(headers.timestamp),
      ...(traceId && { traceId })
    })
    const about: About = {
      environment: cloudName,
      type: events[0]?.type,
      notificationType: events[0]?.notificationType,
      ids: events.slice(0, LOGGED_IDS).map(({ id }) => id)
    }
    try {
      await sender.store(events, AbortSignal.timeout(storeTimeoutMs))
    } catch (error) {
      return { ...failureOf(error), about }
    }
    return { outcome: 'accepted', events: events.length, about }
  }

  #count(ended: IngestOutcome): void {
    const { metrics } = this.#options
    switch (ended.outcome) {
      case 'accepted':
        metrics.count('NotificationsAccepted', 1)
        metrics.count('EventsStored', ended.events)
        return
      case 'refused':
        metrics.count('NotificationsRefused', 1, { Reason: ended.code })
        return
      case 'unavailable':
        metrics.count('NotificationsUnavailable', 1, { Reason: ended.code })
    }
  }
}

function failureOf(error: unknown) {
  if (error instanceof ListenerError && error.code === 'EVENT_TOO_LARGE') {
    return { outcome: 'refused', code: error.code, reason: error.message } as const
  }
  return {
    outcome: 'unavailable',
    code: 'QUEUE_UNAVAILABLE',
    reason: 'SQS has not stored every event',
    error
  } as const
}
