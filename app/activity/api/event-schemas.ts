import { z } from 'zod'
import { EVENT_TYPES } from '../../ingest/event.ts'
import { OUTCOMES, SOURCES, STATUSES } from '../event-filter.ts'

const time = z.string().describe('ISO 8601, UTC')

const OriginText = { by: z.string(), at: time, from: z.enum(['page', 'api', 'command']) }

const ErrorText = { code: z.string(), message: z.string() }

const ProcessorRecordSchema = z.object({
  outcome: z.enum(OUTCOMES),
  at: time.optional(),
  attempts: z.int().optional(),
  milliseconds: z.number().optional(),
  note: z.string().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  notBefore: time.optional()
})

/** An event of a list. With a read token, it has no errors, no notes and no origin. */
export const EventSchema = z.object({
  id: z.string(),
  type: z.enum(EVENT_TYPES),
  environment: z.string().describe('product environment (cloud name)'),
  group: z.string().optional(),
  asset: z
    .object({
      assetId: z.string().optional(),
      publicId: z.string().optional(),
      resourceType: z.string().optional(),
      deliveryType: z.string().optional(),
      version: z.int().optional()
    })
    .nullish(),
  origin: z
    .object({ source: z.string().nullable(), id: z.string().nullable(), own: z.boolean() })
    .optional()
    .describe('client that made the change; absent with a read token'),
  occurredAt: time,
  receivedAt: time,
  startedAt: time.optional(),
  finishedAt: time.optional(),
  status: z.enum(STATUSES),
  reason: z.string().optional().describe('reason for status `ignored`'),
  attempts: z.int(),
  processors: z.record(z.string(), ProcessorRecordSchema),
  lastError: z
    .object({ processor: z.string(), ...ErrorText })
    .optional()
    .describe('absent with a read token'),
  source: z.enum(SOURCES).optional(),
  run: z.string().optional().describe('last replay or redrive that reopened the event'),
  discarded: z
    .object({ ...OriginText, reason: z.string() })
    .optional()
    .describe('last discard: the dead letter was deleted; absent with a read token'),
  traceId: z.string().optional(),
  change: z
    .object({ added: z.array(z.string()).optional(), removed: z.array(z.string()).optional() })
    .optional()
})

export const EventDetailSchema = EventSchema.extend({
  storedAt: time.optional(),
  history: z
    .array(
      z.object({
        id: z.string(),
        startedAt: time,
        endedAt: time.optional(),
        run: z.string().optional().describe('replay or redrive that the attempt belongs to'),
        source: z.enum(['replay']).optional(),
        processors: z.record(
          z.string(),
          z.object({
            outcome: z.string(),
            milliseconds: z.number().optional(),
            code: z.string().optional(),
            message: z.string().optional()
          })
        )
      })
    )
    .describe('the last 20 attempts'),
  replays: z
    .array(
      z.object({
        run: z.string(),
        kind: z.enum(['replay', 'redrive']),
        ...OriginText,
        by: OriginText.by.optional(),
        from: OriginText.from.optional()
      })
    )
    .optional()
    .describe('the last 10 replays and redrives that a worker has started, oldest first'),
  payload: z.unknown().describe('notification or found asset, with secrets and capability URLs masked')
})

export const EventPageSchema = z.object({
  events: z.array(EventSchema).describe('newest first'),
  older: z.string().optional().describe('cursor of the next older page'),
  newer: z.string().optional().describe('cursor of the next newer page'),
  searchedTo: time
    .optional()
    .describe('the search stopped here before the page was full; continue with `older`')
})

export const RepairSchema = z.object({
  id: z.string(),
  kind: z.enum(['replay', 'discard']),
  state: z
    .enum(['running', 'done', 'aborted', 'failed', 'lost'])
    .describe('`lost`: the process that ran it ended without recording the end'),
  failedOnly: z.boolean().optional().describe('of a replay'),
  reason: z.string().optional().describe('of a discard'),
  ...OriginText,
  updatedAt: time,
  endedAt: time.optional(),
  abortedBy: z.string().optional().describe('user who requested an abort'),
  total: z.int(),
  sent: z.int().describe('events sent to the queue'),
  discarded: z.int().describe('events marked as discarded'),
  failed: z.int().describe('events that could not be sent or discarded'),
  failures: z.array(z.object({ id: z.string(), ...ErrorText })).describe('the first 20 failures'),
  deadLetters: z
    .object({
      queued: z.int().describe('approximate number in the dead-letter queue at the start'),
      checked: z.int(),
      deleted: z.int()
    })
    .optional()
    .describe('absent until the sweep starts'),
  error: z.object(ErrorText).optional().describe('error that stopped it, in the state `failed`')
})

export const ErrorSchema = z.object(ErrorText)
