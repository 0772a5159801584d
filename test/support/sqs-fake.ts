import { createHash, randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { SQSClient } from '@aws-sdk/client-sqs'

export type Action =
  | 'ReceiveMessage'
  | 'DeleteMessageBatch'
  | 'ChangeMessageVisibilityBatch'
  | 'SendMessageBatch'
  | 'GetQueueAttributes'

export interface Entry {
  Id: string
  ReceiptHandle?: string
  VisibilityTimeout?: number
  MessageBody?: string
  MessageGroupId?: string
  MessageDeduplicationId?: string
}

/** Input of a call: the fields of all operations. */
export interface Input {
  QueueUrl: string
  Entries?: Entry[]
  MaxNumberOfMessages?: number
  VisibilityTimeout?: number
  WaitTimeSeconds?: number
  MessageSystemAttributeNames?: string[]
  ReceiveRequestAttemptId?: string
}

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a different shape per operation
  body: any
}

/**
 * Answers one call; `cut` breaks the connection. `applyCall` performs the call, or another input passed to it.
 */
export type Behaviour = (
  applyCall: (input?: Input) => Promise<Answer>,
  input: Input
) => Promise<Answer | 'cut'>

/** Answers an error without performing the call. */
export const refuse =
  (status = 500, code = 'InternalError'): Behaviour =>
  async () =>
    fault(code, `injected status ${status}`, status)

/** Breaks the connection without performing the call. */
export const cut: Behaviour = async () => 'cut'

/** Performs the call, but breaks the connection before the response. */
export const loseAnswer: Behaviour = (applyCall) => applyCall().then(() => 'cut')

/** Answers 200 with the entries that `fails` selects as failed; performs the others. */
export const failEntries =
  (fails: (entry: Entry) => boolean, Code = 'InternalError'): Behaviour =>
  async (applyCall, input) => {
    const failing = (input.Entries ?? []).filter(fails)
    const Entries = (input.Entries ?? []).filter((entry) => !failing.includes(entry))
    const { body } = await applyCall({ ...input, Entries })
    const failed = failing.map(({ Id }) => ({ Id, Code, Message: 'injected failure', SenderFault: false }))
    return { status: 200, body: { ...body, Failed: [...body.Failed, ...failed] } }
  }

/**
 * Holds a call, or only its response, until it is released; `arrived` resolves when it is held.
 *
 * @param what `call`: performed when released; `answer`: performed at once
 */
export function hold(what: 'call' | 'answer' = 'call') {
  const arrival = Promise.withResolvers<Input>()
  const latch = Promise.withResolvers<void>()
  const behaviour: Behaviour = async (applyCall, input) => {
    const early = what === 'answer' ? await applyCall() : undefined
    arrival.resolve(input)
    await latch.promise
    return early ?? applyCall()
  }
  return { behaviour, arrived: arrival.promise, release: () => latch.resolve() }
}

interface Stored {
  id: string
  group: string
  deduplicationId: string
  body: string
  receives: number
  receiptHandle: string | undefined
  /** When the message becomes visible, in seconds. */
  visibleAt: number
}

export type SqsFake = Awaited<ReturnType<typeof startSqsFake>>

const ACTIONS = /^AmazonSQS\.(.*)$/
const DEDUPLICATION_SECONDS = 300
const MAX_BATCH_BYTES = 1024 * 1024

/**
 * A FIFO queue with the JSON protocol of SQS, for behaviour that the embedded SQS lacks: a receive may return
 * up to ten messages of one group, and a test can make calls slow, fail, or fail partly. Only the test moves
 * its clock, so no visibility timeout expires by itself; only long polling takes real time.
 * Source:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export async function startSqsFake() {
  const calls: { action: Action; input: Input }[] = []
  const behaviours = new Map<Action, Behaviour[]>()
  const standing = new Map<Action, Behaviour>()
  const changes = new EventEmitter().setMaxListeners(0)
  const sent = new Map<string, { at: number; id: string }>()
  let messages: Stored[] = []
  let now = 0
  let pollsWait = true

  const changed = () => void changes.emit('changed')
  const inFlight = ({ visibleAt }: Stored) => visibleAt > now
  const held = (handle: string | undefined) =>
    messages.find((message) => message.receiptHandle === handle && inFlight(message))

  function send(group: string, body: string, deduplicationId: string): string {
    const earlier = sent.get(deduplicationId)
    if (earlier && earlier.at + DEDUPLICATION_SECONDS > now) return earlier.id
    const id = randomUUID()
    sent.set(deduplicationId, { at: now, id })
    messages.push({ id, group, body, deduplicationId, receives: 0, receiptHandle: undefined, visibleAt: now })
    return id
  }

  function receive(input: Input): Stored[] {
    // a group with messages in flight is blocked, but one receive may return several messages of a group
    const blocked = new Set(messages.filter(inFlight).map(({ group }) => group))
    const taken = messages
      .filter(({ group }) => !blocked.has(group))
      .slice(0, between(1, input.MaxNumberOfMessages ?? 1, 10))
    for (const message of taken) {
      message.receives++
      message.receiptHandle = randomUUID()
      message.visibleAt = now + between(0, input.VisibilityTimeout ?? 30, 43_200)
    }
    return taken
  }

  async function receiveWithin(input: Input): Promise<Stored[]> {
    const timeUp = AbortSignal.timeout(between(0, input.WaitTimeSeconds ?? 0, 20) * 1000)
    let taken = receive(input)
    while (taken.length === 0 && input.WaitTimeSeconds && pollsWait && !timeUp.aborted) {
      await once(changes, 'changed', { signal: timeUp }).catch(() => {})
      taken = receive(input)
    }
    return taken
  }

  const operations: Record<Action, (input: Input) => Promise<unknown> | unknown> = {
    async ReceiveMessage(input) {
      const Messages = (await receiveWithin(input)).map((message) => {
        const attributes: Record<string, string> = {
          MessageGroupId: message.group,
          MessageDeduplicationId: message.deduplicationId,
          ApproximateReceiveCount: String(message.receives)
        }
        const wanted = input.MessageSystemAttributeNames ?? []
        return {
          MessageId: message.id,
          ReceiptHandle: message.receiptHandle,
          Body: message.body,
          MD5OfBody: md5(message.body),
          Attributes: Object.fromEntries(Object.entries(attributes).filter(([name]) => wanted.includes(name)))
        }
      })
      return Messages.length > 0 ? { Messages } : {}
    },

    DeleteMessageBatch: ({ Entries = [] }) =>
      settle(Entries, ({ ReceiptHandle }) => {
        const message = held(ReceiptHandle)
        if (!message) throw invalid('The receipt handle has expired.')
        messages = messages.filter((each) => each !== message)
        return undefined
      }),

    ChangeMessageVisibilityBatch: ({ Entries = [] }) =>
      settle(Entries, ({ ReceiptHandle, VisibilityTimeout = -1 }) => {
        const message = held(ReceiptHandle)
        if (!message)
          throw invalid('Message does not exist or is not available for visibility timeout change.')
        message.visibleAt = now + between(0, VisibilityTimeout, 43_200)
        return undefined
      }),

    SendMessageBatch({ Entries = [] }) {
      const bytes = Entries.reduce((sum, { MessageBody = '' }) => sum + Buffer.byteLength(MessageBody), 0)
      if (bytes > MAX_BATCH_BYTES) throw new SqsFault('BatchRequestTooLong', 'over 1 MiB')
      return settle(Entries, ({ MessageBody = '', MessageGroupId, MessageDeduplicationId }) => {
        if (!MessageGroupId || !MessageDeduplicationId)
          throw new SqsFault('MissingParameter', 'of a FIFO queue')
        const MessageId = send(MessageGroupId, MessageBody, MessageDeduplicationId)
        return { MessageId, MD5OfMessageBody: md5(MessageBody) }
      })
    },

    GetQueueAttributes: () => ({ Attributes: { QueueArn: 'arn:aws:sqs:us-east-1:000000000000:fake.fifo' } })
  }

  async function applyCall(action: Action, input: Input): Promise<Answer> {
    try {
      const body = await operations[action](input)
      changed()
      return { status: 200, body }
    } catch (error) {
      if (error instanceof SqsFault) return fault(error.code, error.message)
      throw error
    }
  }

  async function answer(request: IncomingMessage): Promise<Answer | 'cut'> {
    const input = (await json(request)) as Input
    const action = ACTIONS.exec(String(request.headers['x-amz-target']))?.[1] as Action
    if (!operations[action]) return fault('InvalidAction', `not faked: ${action}`)
    calls.push({ action, input })
    const behaviour = behaviours.get(action)?.shift() ?? standing.get(action)
    changed()
    const asked = (instead = input) => applyCall(action, instead)
    return behaviour ? behaviour(asked, input) : asked()
  }

  const server = createServer(async (request, response) => {
    const given = await answer(request)
    if (given === 'cut') return void request.socket.destroy()
    response.writeHead(given.status, { 'content-type': 'application/x-amz-json-1.0' })
    response.end(JSON.stringify(given.body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = new SQSClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1
  })

  return {
    url,
    queueUrl: `${url}/000000000000/fake.fifo`,
    /** A client without retries. */
    client,
    /** All calls in order. */
    calls: calls as readonly { action: Action; input: Input }[],
    inputs: (action: Action) => calls.filter((call) => call.action === action).map(({ input }) => input),
    /** Adds messages with unique bodies. */
    put(group: string, ...bodies: string[]) {
      for (const body of bodies) send(group, body, body)
      changed()
    },
    /** The messages in the queue, in order. */
    messages: () =>
      messages.map((message) => ({
        body: message.body,
        group: message.group,
        deduplicationId: message.deduplicationId,
        receives: message.receives,
        /** Seconds until it is visible; 0 if it is. */
        hiddenFor: Math.max(0, message.visibleAt - now)
      })),
    /** The body of the message received with this handle, in flight or not. */
    bodyOf: (handle: string | undefined) =>
      messages.find(({ receiptHandle }) => receiptHandle === handle)?.body,
    /** Sets the behaviours of the next calls of an action; they precede those of `always`. */
    next: (action: Action, ...these: Behaviour[]) =>
      void behaviours.set(action, [...(behaviours.get(action) ?? []), ...these]),
    /** Sets the behaviour of all calls of an action; undefined resets it. */
    always: (action: Action, behaviour: Behaviour = (asked) => asked()) =>
      void standing.set(action, behaviour),
    /** Moves the clock. */
    advance(seconds: number) {
      now += seconds
      changed()
    },
    /** Turns long polling off. */
    endPolls() {
      pollsWait = false
      changed()
    },
    /** Checks the conditions of `until` again. */
    changed,
    /** Resolves when the condition holds; checked when a call arrives and when it was performed. */
    async until(condition: () => boolean): Promise<void> {
      while (!condition()) await once(changes, 'changed')
    },
    async stop() {
      client.destroy()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}

class SqsFault extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const invalid = (reason: string) =>
  new SqsFault('InvalidParameterValue', `Value is invalid. Reason: ${reason}`)

const fault = (code: string, message: string, status = 400): Answer => ({
  status,
  body: { __type: `com.amazonaws.sqs#${code}`, message }
})

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

function between(least: number, value: number, most: number): number {
  if (!(value >= least && value <= most)) throw invalid(`${value} is not between ${least} and ${most}`)
  return value
}

/** Performs each entry of a batch. */
function settle(entries: Entry[], applyEntry: (entry: Entry) => object | undefined) {
  if (entries.length > 10) throw new SqsFault('TooManyEntriesInBatchRequest', 'more than ten')
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw new SqsFault('BatchEntryIdsNotDistinct', 'two with one Id')
  }
  const Successful: object[] = []
  const Failed: object[] = []
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...applyEntry(entry) })
    } catch (error) {
      if (!(error instanceof SqsFault)) throw error
      Failed.push({ Id: entry.Id, Code: error.code, Message: error.message, SenderFault: true })
    }
  }
  return { Successful, Failed }
}
