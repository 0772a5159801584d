import type { EventBridgeClient, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import { PermanentError } from '../../errors.ts'
import type { Finding } from '../../processor.ts'
import { Batcher, type Settlement } from '../../queue/batcher.ts'
import { awsFailure } from '../aws-failure.ts'

type Sdk = typeof import('@aws-sdk/client-eventbridge')

/** What a bus needs of an event. */
export interface BusEvent {
  source: string
  detailType: string
  /** Detail of the event, as JSON. */
  detail: string
  time: Date
}

/**
 * Maximum size of an entry, and of the entries of a call, in bytes.
 * Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
 */
const MAX_BYTES = 1024 * 1024

/** Bytes that EventBridge counts for the time of an entry. */
const TIME_BYTES = 14

/** Maximum entries of a call. */
const MAX_ENTRIES = 10

const MAX_CALLS = 8

const FAILURE = {
  service: 'EventBridge',
  code: 'EVENT_BRIDGE',
  permanent: /^(?:ResourceNotFound|Validation|InvalidArgument|MalformedDetail|NotAuthorizedForSource)/,
  permission: 'events:PutEvents'
}

/** Sends events to a bus of EventBridge, up to ten in a call. */
export class Bus {
  readonly #sdk: Sdk
  readonly #client: EventBridgeClient
  readonly #name: string
  readonly #batcher: Batcher<PutEventsRequestEntry, string>

  private constructor(sdk: Sdk, name: string, timeoutMs: number) {
    this.#sdk = sdk
    this.#name = name
    // a bus of another region cannot be called in this one
    const [, region] = /^arn:[^:]+:events:([^:]+):/.exec(name) ?? []
    this.#client = new sdk.EventBridgeClient({
      ...(region && { region }),
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 1000, requestTimeout: timeoutMs, throwOnRequestTimeout: true }
    })
    this.#batcher = new Batcher({
      maximumCalls: MAX_CALLS,
      maximumItems: MAX_ENTRIES,
      maximumBytes: MAX_BYTES,
      sizeOf,
      send: (entries) => this.#put(entries)
    })
  }

  /**
   * Loads the SDK.
   *
   * @param name name or ARN of the bus
   * @param timeoutMs maximum time for a response, in milliseconds. The SDK makes up to three calls
   */
  static async open(name: string, timeoutMs = 5000): Promise<Bus> {
    return new Bus(await import('@aws-sdk/client-eventbridge'), name, timeoutMs)
  }

  /**
   * Sends an event and returns the id that EventBridge gives it.
   *
   * @throws {ListenerError} EVENT_BRIDGE_UNAVAILABLE or EVENT_BRIDGE_UNAUTHORIZED, to retry
   * @throws {PermanentError} EVENT_BRIDGE_REJECTED
   */
  async send({ source, detailType, detail, time }: BusEvent, signal: AbortSignal): Promise<string> {
    const entry = {
      EventBusName: this.#name,
      Source: source,
      DetailType: detailType,
      Detail: detail,
      Time: time
    }
    const bytes = sizeOf(entry)
    if (bytes > MAX_BYTES) {
      throw new PermanentError(`the event has ${bytes} bytes; EventBridge accepts ${MAX_BYTES}`, {
        code: 'EVENT_BRIDGE_REJECTED'
      })
    }
    return this.#batcher.add(entry, signal)
  }

  /**
   * Checks that the bus exists. A missing permission to check is a warning, since sending may be allowed.
   *
   * @throws {ListenerError} like `send`
   */
  async check(signal: AbortSignal): Promise<Finding> {
    const { DescribeEventBusCommand } = this.#sdk
    try {
      await this.#client.send(new DescribeEventBusCommand({ Name: this.#name }), { abortSignal: signal })
      return { level: 'ok', message: `event bus ${this.#name} exists` }
    } catch (error) {
      signal.throwIfAborted()
      const failure = awsFailure(error, { ...FAILURE, permission: 'events:DescribeEventBus' })
      if (failure.code !== 'EVENT_BRIDGE_UNAUTHORIZED') throw failure
      return { level: 'warning', message: `cannot check event bus ${this.#name} (${failure.message})` }
    }
  }

  close(): void {
    this.#client.destroy()
  }

  /** Each entry succeeds or fails on its own. */
  async #put(entries: PutEventsRequestEntry[]): Promise<Settlement<string>[]> {
    const { PutEventsCommand } = this.#sdk
    try {
      const { Entries = [] } = await this.#client.send(new PutEventsCommand({ Entries: entries }))
      return Entries.map(({ EventId, ErrorCode, ErrorMessage }) =>
        ErrorCode === undefined
          ? { ok: true, value: String(EventId) }
          : { ok: false, error: awsFailure({ name: ErrorCode, message: ErrorMessage }, FAILURE) }
      )
    } catch (error) {
      throw awsFailure(error, FAILURE)
    }
  }
}

function sizeOf({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry): number {
  return TIME_BYTES + [Source, DetailType, Detail].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}
