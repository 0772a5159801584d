import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { ListenerError } from '../errors.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { Tracing } from '../tracing/tracing.ts'
import { unlessAborted } from '../unless-aborted.ts'
import { Batcher } from './batcher.ts'
import { encodeMessage, MAX_MESSAGE_BYTES } from './message-codec.ts'
import { sendBatch } from './send-batch.ts'

/** Maximum number of calls in flight: 3,200 events a second while SQS takes 100 ms. The SDK has 50 sockets. */
const MAX_CALLS = 32

/**
 * Number of calls in flight below which no event waits. From this number on, events wait for a full batch.
 */
const MAX_PARTIAL_CALLS = 8

/** Timeout of a call including the SDK's retries, in milliseconds. */
const CALL_TIMEOUT_MS = 8000

interface OutgoingMessage {
  MessageBody: string
  MessageGroupId: string
  MessageDeduplicationId: string
}

/** Stores events in the SQS queue. */
export class EventSender {
  readonly #batcher: Batcher<OutgoingMessage, void>
  readonly #tracing: Tracing | undefined

  constructor({
    sqs,
    queueUrl,
    tracing
  }: {
    sqs: SQSClient
    queueUrl: string
    tracing?: Tracing | undefined
  }) {
    this.#tracing = tracing
    this.#batcher = new Batcher({
      maximumCalls: MAX_CALLS,
      maximumPartialCalls: MAX_PARTIAL_CALLS,
      maximumBytes: MAX_MESSAGE_BYTES,
      sizeOf: ({ MessageBody }) => Buffer.byteLength(MessageBody),
      send: (messages) =>
        sendBatch(messages, (Entries) =>
          sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }), {
            abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS)
          })
        )
    })
  }

  /** Size of the events that are not stored yet, in bytes. */
  get pendingBytes(): number {
    return this.#batcher.pendingBytes
  }

  /**
   * Sends events; resolves when SQS has confirmed every one. If it throws, some events may be stored; their
   * ids deduplicate them when they are sent again.
   *
   * @param signal if it aborts, the call throws at once and drops events that were not sent yet
   * @throws {ListenerError} EVENT_TOO_LARGE before any event is stored, or QUEUE_UNAVAILABLE
   */
  store(events: readonly AssetEvent[], signal?: AbortSignal): Promise<void> {
    return this.#tracing
      ? this.#tracing.send(events, (traced) => this.#store(traced, signal))
      : this.#store(events, signal)
  }

  async #store(events: readonly AssetEvent[], signal?: AbortSignal): Promise<void> {
    const outgoing = events.map((event) => ({
      MessageBody: encodeMessage(event),
      MessageGroupId: event.group,
      // a redrive or replay needs its own id: SQS drops a message whose id it has seen within five minutes
      MessageDeduplicationId: event.run ? `${event.id}.${event.run.id}` : event.id
    }))
    let stored = 0
    const failures: unknown[] = []
    const adding = outgoing.map((item) =>
      this.#batcher.add(item, signal).then(
        () => stored++,
        (error: unknown) => failures.push(error)
      )
    )
    const settled = Promise.all(adding)
    if (signal) await unlessAborted(settled, signal).catch((reason: unknown) => failures.push(reason))
    else await settled
    if (stored < events.length) {
      throw new ListenerError(
        'QUEUE_UNAVAILABLE',
        `SQS did not store ${events.length - stored} of ${events.length} events`,
        { cause: failures[0] }
      )
    }
  }

  /** Resolves when every event is stored or has failed. */
  idle(): Promise<void> {
    return this.#batcher.idle()
  }
}
