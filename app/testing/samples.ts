import { ListenerError } from '../errors.ts'
import type { EventType } from '../ingest/event.ts'
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

const SAMPLES = {
  ...UPLOADS,
  ...DERIVED,
  ...CHANGES,
  ...REVIEWS,
  ...OTHERS
} satisfies Record<EventType, Variants>

/** What notifications were before 2024, for every type: without `notification_context` and `signature_key`. */
const OLD = 'old'

/** The samples that there are of a type. */
export type SampleVariant<Type extends EventType> = (keyof (typeof SAMPLES)[Type] & string) | typeof OLD

/** A bulk call of the Admin API takes up to 1,000 ids, so that one notification can hold 1,000 assets. */
export const MAX_ASSETS = 1000

/** The types whose notifications carry any number of assets. */
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

/** Every sample there is: the type, and the names of its variants with the default one first. */
export const SAMPLE_NAMES: readonly { type: EventType; variants: readonly string[] }[] = (
  Object.keys(SAMPLES) as EventType[]
)
  .toSorted()
  .map((type) => ({ type, variants: [...Object.keys(SAMPLES[type]), OLD] }))

/**
 * The body of a notification as Cloudinary sends it. The same options give the same body, so that sending
 * it twice is a redelivery. Type `unknown` gives a notification of a type that nobody knows.
 *
 * @throws ListenerError with code `SAMPLE_UNKNOWN` for a type or variant there is no sample of, and
 *   `SAMPLE_COUNT` for a number of assets that such a notification cannot carry.
 */
export function sampleNotification(
  type: EventType,
  options: SampleOptions & { variant?: string } = {}
): Body {
  const context = sampleContext(options)
  checkCount(type, context.count)
  const body = makerOf(type, options.variant)(context)
  return options.variant === OLD ? body : { ...body, ...provenance(context) }
}

function makerOf(type: EventType, variant: string | undefined): Maker {
  if (!Object.hasOwn(SAMPLES, type)) {
    throw new ListenerError(
      'SAMPLE_UNKNOWN',
      `There is no sample of type "${type}"; there are: ${Object.keys(SAMPLES).toSorted().join(', ')}`
    )
  }
  const variants: Variants = SAMPLES[type]
  const [first] = Object.keys(variants)
  const name = variant === undefined || variant === OLD ? first! : variant
  if (!Object.hasOwn(variants, name)) {
    const known = [...Object.keys(variants), OLD].join(', ')
    throw new ListenerError('SAMPLE_UNKNOWN', `There is no variant "${name}" of ${type}; there are: ${known}`)
  }
  return variants[name]!
}

function checkCount(type: EventType, count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > MAX_ASSETS) {
    throw new ListenerError('SAMPLE_COUNT', `A notification carries 1 to ${MAX_ASSETS} assets, not ${count}`)
  }
  if (count > 1 && !TYPES_OF_MANY.includes(type)) {
    const many = TYPES_OF_MANY.join(', ')
    throw new ListenerError(
      'SAMPLE_COUNT',
      `A notification of type ${type} is about one asset; of many: ${many}`
    )
  }
}

/** Who caused it, and the key whose secret signs it: in every notification since 2024. */
function provenance(context: SampleContext): Body {
  const id = context.source === 'api' ? context.apiKey : hex('a person in the Console', 30)
  return {
    notification_context: {
      triggered_at: context.now.toISOString().replace('Z', '000Z'), // Cloudinary counts microseconds
      triggered_by: { source: context.source, id }
    },
    signature_key: context.signatureKey
  }
}
