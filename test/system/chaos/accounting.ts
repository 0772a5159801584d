import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb'
import { decodeMessage } from '../../../app/queue/message-codec.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import type { Call } from '../../../dev/cloudinary/cloudinary-server.ts'
import type { EmbeddedDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { DEAD_LETTER_QUEUE_NAME, type EmbeddedSqs } from '../../../dev/embedded-sqs.ts'
import type { LoadEvent } from './load.ts'

export interface Journaled {
  id: string
  status: string
}

export interface DeadLetter {
  /** Undefined if the message is unreadable. */
  eventId: string | undefined
  asset: string | undefined
  processor: string | undefined
  code: string
  message: string
}

export interface Evidence {
  loadEvents: readonly LoadEvent[]
  calls: readonly Call[]
  /** Ids of events, in the order in which the `order-log` processor ran. */
  order: readonly string[]
  journal: ReadonlyMap<string, Journaled>
  deadLetters: readonly DeadLetter[]
}

export interface Account {
  /** Events of the load, and how many of them were acknowledged. */
  events: number
  acknowledged: number
  /** Events that were acknowledged but not processed, as text. */
  lost: string[]
  /** Repeated effects, as text, one for each repetition. */
  duplicates: string[]
  /** Effects without an event of the load. */
  strays: string[]
  /** Events that were processed after a later one of the same asset, as text. */
  disordered: string[]
  deadLetters: readonly DeadLetter[]
}

/** Compares acknowledged events with the effects outside and with the journal. */
export function account({ loadEvents, calls, order, journal, deadLetters }: Evidence): Account {
  const ofLoad = loadEvents.filter(({ step }) => step !== undefined)
  const effects = countEffects(calls, order)
  const dead = new Set(deadLetters.map(({ eventId, processor }) => `${eventId} ${processor}`))
  const lost: string[] = []
  const duplicates: string[] = []
  const strays = new Set(effects.keys())
  for (const event of loadEvents) {
    const status = journal.get(event.id)?.status ?? 'not in the journal'
    const expected = event.step === undefined ? {} : effectsOf(event)
    const missing = Object.entries(expected)
      .filter(([processor, effect]) => !effects.has(effect) && !dead.has(`${event.id} ${processor}`))
      .map(([processor]) => processor)
    const isFinal = ['done', 'ignored', 'dead'].includes(status)
    if (event.acknowledged && (missing.length > 0 || !isFinal)) {
      lost.push(`${nameOf(event)}: ${[status, ...missing.map((processor) => `no ${processor}`)].join(', ')}`)
    }
    for (const [processor, effect] of Object.entries(expected)) {
      strays.delete(effect)
      const again = (effects.get(effect) ?? 0) - 1
      if (again > 0) duplicates.push(...Array(again).fill(`${nameOf(event)}: ${processor} again`))
    }
  }
  return {
    events: ofLoad.length,
    acknowledged: ofLoad.filter(({ acknowledged }) => acknowledged).length,
    lost,
    duplicates,
    strays: [...strays],
    disordered: findDisorder(ofLoad, order),
    deadLetters
  }
}

const nameOf = ({ publicId, step, id }: LoadEvent) => `${publicId} ${step ?? `own change ${id}`}`

/** Returns the expected effect of each processor, named as in `countEffects`. */
function effectsOf({ id, publicId, step, occurredAt }: LoadEvent): Record<string, string> {
  return {
    ...(step === 0 && { 'hello-world-tag': `tag ${publicId}` }),
    'last-update-timestamp': `stamp ${publicId} ${occurredAt}`,
    'order-log': `log ${id}`
  }
}

/** Counts each effect in Cloudinary's calls and in the order log. */
function countEffects(calls: readonly Call[], order: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  const count = (effect: string) => counts.set(effect, (counts.get(effect) ?? 0) + 1)
  for (const { action, status, apiKey, publicIds, params } of calls) {
    if (status !== 200 || apiKey !== LOCAL_CLOUDINARY.apiKey) continue
    if (action === 'tags') count(`tag ${publicIds[0]}`)
    if (action === 'metadata') count(`stamp ${publicIds[0]} ${String(params.metadata).split('=')[1]}`)
  }
  for (const eventId of order) count(`log ${eventId}`)
  return counts
}

/** A repetition right after the effect itself is a duplicate, but in order. */
function findDisorder(ofLoad: readonly LoadEvent[], order: readonly string[]): string[] {
  const events = new Map(ofLoad.map((event) => [event.id, event]))
  const last = new Map<string, number>()
  const found: string[] = []
  for (const eventId of order) {
    const event = events.get(eventId)
    if (event?.step === undefined) continue
    const before = last.get(event.publicId) ?? -1
    if (event.step < before) found.push(`${nameOf(event)}: after ${before}`)
    last.set(event.publicId, Math.max(before, event.step))
  }
  return found
}

/** Reads all entries of the journal. */
export async function readJournal({
  url,
  tableName,
  environment
}: EmbeddedDynamoDb): Promise<Map<string, Journaled>> {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint: url,
      region: environment.AWS_REGION,
      credentials: {
        accessKeyId: String(environment.AWS_ACCESS_KEY_ID),
        secretAccessKey: String(environment.AWS_SECRET_ACCESS_KEY)
      }
    })
  )
  const journal = new Map<string, Journaled>()
  try {
    for await (const { Items = [] } of paginateScan(
      { client },
      { TableName: tableName, ConsistentRead: true }
    )) {
      for (const item of Items) journal.set(item.id, item as Journaled)
    }
  } finally {
    client.destroy()
  }
  return journal
}

/** Reads the dead-letter queue. */
export function readDeadLetters(sqs: EmbeddedSqs): DeadLetter[] {
  const { ready, inflight } = sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)!.messages
  return [...ready, ...inflight.map(({ message }) => message)].map(({ body, messageAttributes }) => {
    const attribute = (name: string) => messageAttributes[name]?.StringValue
    return {
      ...whichEvent(body),
      processor: attribute('processor'),
      code: attribute('code') ?? '',
      message: attribute('message') ?? ''
    }
  })
}

function whichEvent(body: string): Pick<DeadLetter, 'eventId' | 'asset'> {
  try {
    const { id, asset } = decodeMessage(body)
    return { eventId: id, asset: asset?.publicId }
  } catch {
    return { eventId: undefined, asset: undefined }
  }
}
