import { z } from 'zod'
import { VARIABLES } from '../../config.ts'
import { EVENT_TYPES } from '../../ingest/event.ts'
import type { Processor } from '../../processor.ts'
import { toCloudEvent } from '../cloud-event.ts'
import { checkOptions } from '../processor-options.ts'
import { Bus } from './bus.ts'

const Options = z.strictObject({
  name: z.string().default('event-bridge'),
  on: z
    .array(z.enum([...EVENT_TYPES, '*']))
    .min(1)
    .default(['*']),
  /** Send the listener's own changes too. */
  ownChanges: z.boolean().default(false),
  /** Name or ARN of the bus. (Default: the variable EVENT_BUS) */
  bus: z
    .string()
    .refine(
      (bus) => VARIABLES.EVENT_BUS.schema.safeParse(bus).success,
      'must be the name or ARN of an event bus'
    )
    .optional(),
  /** `source` of the events, for rules. Names that begin with aws. are reserved. */
  source: z
    .string()
    .regex(
      /^(?!aws\.)[\w./-]{1,256}$/,
      'must be 1 to 256 letters, digits and any of . / - _, not beginning with aws.'
    )
    .default('cloudinary')
})

/** @see eventBridge */
export type EventBridgeOptions = z.input<typeof Options>

/**
 * Sends each event to a bus of Amazon EventBridge, so that anything on AWS can subscribe to it. The detail is a
 * CloudEvent. A retry may send an event twice, with the same `detail.id`. Costs no Cloudinary calls; one entry of
 * EventBridge per event and 64 KB.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function eventBridge(
  options: EventBridgeOptions = {},
  { timeoutMs }: { timeoutMs?: number } = {}
): Processor {
  const { name, on, ownChanges, bus, source } = checkOptions('eventBridge', Options, options)
  let started: Bus | undefined
  return {
    name,
    on,
    ownChanges,
    packages: ['@aws-sdk/client-eventbridge'],
    ...(bus === undefined && { requires: ['EVENT_BUS'] }),
    async start({ config }) {
      started = await Bus.open(bus ?? config.EVENT_BUS!, timeoutMs)
    },
    stop() {
      started?.close()
    },
    async check({ config, signal }) {
      const checked = await Bus.open(bus ?? config.EVENT_BUS!)
      try {
        return [await checked.check(signal)]
      } finally {
        checked.close()
      }
    },
    async handle(event, { config, signal }) {
      const detail = toCloudEvent(event)
      const time = new Date(event.occurredAt)
      const sent = { source, detailType: detail.type, detail: JSON.stringify(detail), time }
      const id = await started!.send(sent, signal)
      return `sent to event bus ${bus ?? config.EVENT_BUS}: ${detail.type}, event ${id}`
    }
  }
}
