import { z } from 'zod'
import type { AssetEvent, EventType } from '../ingest/event.ts'
import { PAYLOADS } from '../ingest/payloads/payloads.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'

/** Minimum time between two log lines about one type, in milliseconds. */
const LOG_PERIOD_MS = 3_600_000

/** Maximum number of paths in a log line. */
const MAX_PATHS = 20

/**
 * Compares payloads with their schemas, to notice when Cloudinary changes them. A payload that does not fit
 * is processed all the same.
 */
export class PayloadCheck {
  readonly #metrics: Pick<Metrics, 'count'>
  readonly #clock: () => number
  readonly #loggedAt = new Map<EventType, number>()

  /** @param clock milliseconds since the epoch */
  constructor({ metrics, clock }: { metrics: Pick<Metrics, 'count'>; clock: () => number }) {
    this.#metrics = metrics
    this.#clock = clock
  }

  /** Counts a payload that does not fit; logs where, once per type and hour. Call once per event. */
  check({ type, payload, reconciled }: AssetEvent, log: Logger): void {
    // a search result lacks some fields of a notification
    if (type === 'unknown' || reconciled) return
    // the web task of a newer release may know more types
    const schema: z.ZodType | undefined = PAYLOADS[type]
    if (!schema) return
    const { error } = schema.safeParse(payload)
    if (!error) return
    this.#metrics.count('SchemaMismatch', 1, { Type: type })
    const now = this.#clock()
    if (now - (this.#loggedAt.get(type) ?? Number.NEGATIVE_INFINITY) < LOG_PERIOD_MS) return
    this.#loggedAt.set(type, now)
    const paths = new Set(error.issues.map(({ path }) => declaredPath(schema, path)))
    log.warn(
      { code: 'SCHEMA_MISMATCH', paths: [...paths].slice(0, MAX_PATHS) },
      'payload does not fit the schema of its type'
    )
  }
}

/** Returns a path of names in the schema. Other names, such as those of metadata, become `*`. */
function declaredPath(schema: z.ZodType, path: readonly PropertyKey[]): string {
  const names: string[] = []
  let current: unknown = schema
  for (const key of path) {
    while (current instanceof z.ZodOptional || current instanceof z.ZodNullable) current = current.unwrap()
    if (current instanceof z.ZodArray) {
      current = current.element
      continue
    }
    const field: unknown = current instanceof z.ZodObject ? current.shape[String(key)] : undefined
    names.push(field === undefined ? '*' : String(key))
    current = field
  }
  return names.join('.')
}
