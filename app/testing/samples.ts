import { ListenerError } from '../errors.ts'
import type { EventType, OWN_TYPES } from '../ingest/event.ts'
import { CHANGES } from './samples/change-samples.ts'
import { DERIVED } from './samples/derived-samples.ts'
import { OTHERS } from './samples/other-samples.ts'
import { REVIEWS } from './samples/review-samples.ts'
import {
  type Body,
  hex,
  type Maker,
  type SampleContext,
  type SampleOptions,
  sampleContext,
  type Variants
} from './samples/sample-asset.ts'
import { UPLOADS } from './samples/upload-samples.ts'

export type { SampleOptions } from './samples/sample-asset.ts'

/** The types of notifications. */
type SampledType = Exclude<EventType, (typeof OWN_TYPES)[number]>

const SAMPLES = {
  ...UPLOADS,
  ...DERIVED,
  ...CHANGES,
  ...REVIEWS,
  ...OTHERS
} satisfies Record<SampledType, Variants>

/** A variant of every type: notifications before 2024 have no `notification_context` and `signature_key`. */
const OLD = 'old'

/** Names of the samples of a type. */
export type SampleVariant<Type extends EventType> =
  | (keyof (typeof SAMPLES)[Type & SampledType] & string)
  | typeof OLD

/** A bulk call of the Admin API takes up to 1,000 ids, so a notification can contain 1,000 assets. */
export const MAX_ASSETS = 1000

/** The types whose notifications can contain several assets. */
export const TYPES_OF_MANY: readonly EventType[] = [
  'access_control_changed',
  'delete',
  'delete_by_token',
  'move',
  'proof_status_changed',
  'publish',
  'resource_context_changed',
  'resource_display_name_changed',
  'resource_metadata_changed',
  'resource_tags_changed'
]

/** All types of notifications, with the names of their variants, the default first. */
export const SAMPLE_NAMES: readonly { type: SampledType; variants: readonly string[] }[] = (
  Object.keys(SAMPLES) as SampledType[]
)
  .toSorted()
  .map((type) => ({ type, variants: [...Object.keys(SAMPLES[type]), OLD] }))

/**
 * Returns the body of a sample notification. The same options give the same body, so sending it twice is a
 * redelivery.
 *
 * @throws {ListenerError} SAMPLE_UNKNOWN for a type or variant without a sample; SAMPLE_COUNT for a number of
 *   assets that the type does not allow
 */
export function sampleNotification(
  type: EventType,
  options: SampleOptions & { variant?: string } = {}
): Body {
  const context = sampleContext(options)
  checkCount(type, context.count)
  const body = { notification_type: type, ...makerOf(type, options.variant)(context) }
  return options.variant === OLD ? body : { ...body, ...provenance(context) }
}

function makerOf(type: EventType, variant: string | undefined): Maker {
  if (!Object.hasOwn(SAMPLES, type)) {
    throw new ListenerError(
      'SAMPLE_UNKNOWN',
      `no sample of type "${type}"; available: ${Object.keys(SAMPLES).toSorted().join(', ')}`
    )
  }
  const variants: Variants = SAMPLES[type as SampledType]
  const [first] = Object.keys(variants)
  const name = variant === undefined || variant === OLD ? first! : variant
  if (!Object.hasOwn(variants, name)) {
    const known = [...Object.keys(variants), OLD].join(', ')
    throw new ListenerError('SAMPLE_UNKNOWN', `no variant "${name}" of ${type}; available: ${known}`)
  }
  return variants[name]!
}

function checkCount(type: EventType, count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > MAX_ASSETS) {
    throw new ListenerError('SAMPLE_COUNT', `a notification contains 1 to ${MAX_ASSETS} assets, not ${count}`)
  }
  if (count > 1 && !TYPES_OF_MANY.includes(type)) {
    const many = TYPES_OF_MANY.join(', ')
    throw new ListenerError(
      'SAMPLE_COUNT',
      `a notification of type ${type} contains one asset; types with several: ${many}`
    )
  }
}

/** Who made the change, and which key signs the notification: in every notification since 2024. */
function provenance(context: SampleContext): Body {
  const id = context.source === 'api' ? context.apiKey : hex('a person in the Console', 30)
  return {
    notification_context: {
      triggered_at: context.now.toISOString().replace('Z', '000Z'), // microseconds
      triggered_by: { source: context.source, id }
    },
    signature_key: context.signatureKey
  }
}
