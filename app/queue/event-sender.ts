import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { ListenerError } from '../errors.ts'
import type { AssetEvent } from '../ingest/event.ts'
import { Batcher } from './batcher.ts'
import { encodeMessage, MAXIMUM_MESSAGE_BYTES } from './message-codec.ts'
import { settlements } from './settlements.ts'

/** Calls to SQS in flight at a time; below it an event leaves at once, above it events leave in tens. */
const MAXIMUM_CALLS = 8

/** How long a call may take in all its tries, in milliseconds. */
const CALL_MS = 8000

interface Outgoing {
  deduplicationId: string
  group: string
  body: string
}

/** Stores events in the queue. */
export class EventSender {
  readonly #batcher: Batcher<Outgoing, void>

  constructor({ sqs, queueUrl }: { sqs: SQSClient; queueUrl: string }) {
    this.#batcher = new Batcher({
      maximumCalls: MAXIMUM_CALLS,
      maximumBytes: MAXIMUM_MESSAGE_BYTES,
      sizeOf: ({ body }) => Buffer.byteLength(body),
      send: async (batch) => {
        const Entries = batch.map(({ deduplicationId, group, body }, index) => ({
          Id: String(index),
          MessageBody: body,
          MessageGroupId: group,
          MessageDeduplicationId: deduplicationId
        }))
        return settlements(
          Entries,
          await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }), {
            abortSignal: AbortSignal.timeout(CALL_MS)
          })
        )
      }
    })
  }

  /** Bytes of events that are not stored yet. */
  get pendingBytes(): number {
    return this.#batcher.pendingBytes
  }

  /**
   * Resolves when SQS has confirmed every event; part of them may be stored when it throws, and are then
   * recognised by their identity when they are stored again.
   *
   * @param signal aborted, it throws at once and events that have not left yet are dropped
   * @throws {ListenerError} EVENT_TOO_LARGE before any is stored, or QUEUE_UNAVAILABLE
   */
  async store(events: readonly AssetEvent[], signal: AbortSignal): Promise<void> {
    const outgoing = events.map((event) => ({
      // SQS silently drops a message that is sent again with its old id within five minutes
      deduplicationId: event.run ? `${event.id}.${event.run.id}` : event.id,
      group: event.group,
      body: encodeMessage(event)
    }))
    let stored = 0
    const failures: unknown[] = []
    const adding = outgoing.map((item) =>
      this.#batcher.add(item, signal).then(
        () => stored++,
        (error: unknown) => failures.push(error)
      )
    )
    await withSignal(Promise.all(adding), signal).catch((reason: unknown) => failures.push(reason))
    if (stored < events.length) {
      throw new ListenerError(
        'QUEUE_UNAVAILABLE',
        `SQS has not stored ${events.length - stored} of ${events.length} events`,
        { cause: failures[0] }
      )
    }
  }

  /** Resolves when every event that was handed in is stored or has failed. */
  idle(): Promise<void> {
    return this.#batcher.idle()
  }
}

/** Rejects with the signal's reason as soon as it aborts. */
function withSignal<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
