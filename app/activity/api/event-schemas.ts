import { z } from 'zod'
import { EVENT_TYPES } from '../../ingest/event.ts'
import { OUTCOMES, SOURCES, STATUSES } from '../event-filter.ts'

const time = z.string().describe('ISO 8601, UTC')

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

export const ReplaySchema = z.object({
  id: z.string(),
  state: z.enum(['running', 'done', 'aborted', 'failed']),
  failedOnly: z.boolean(),
  by: z.string(),
  startedAt: time,
  endedAt: time.optional(),
  total: z.int(),
  sent: z.int(),
  failed: z.int().describe('events that could not be sent'),
  failures: z.array(z.object({ id: z.string(), ...ErrorText })).describe('the first 20 failures'),
  error: z.object(ErrorText).optional().describe('error that stopped the replay, in the state `failed`')
})

export const ErrorSchema = z.object(ErrorText)
