import {
  type Asset,
  type AssetEvent,
  defineListener,
  defineProcessor,
  type EventType,
  helloWorldTag,
  isEventOf,
  type Listener,
  type Processor
} from '../../app/listener.ts'
import { testProcessor } from '../../app/testing.ts'

// Nothing here runs: `npm run types` checks it.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only if the value has exactly the expected type. */
const has =
  <Expected>() =>
  <Actual>(_value: Actual, ..._differs: Equal<Actual, Expected> extends true ? [] : [never]) => {}

/** Values of structured metadata. */
type Metadata = Record<string, string | number | string[] | null>
type ContextChange =
  | (string | { [name: string]: unknown; name: string; value?: unknown })[]
  | Record<string, unknown>
/** Accepts an asset whose event states name and kind. */
const named = (_asset: Required<Pick<Asset, 'publicId' | 'resourceType' | 'deliveryType'>>) => {}

/** One test per type: what completion offers, and what an event of the type always states. */
export const TYPES: { [Type in EventType]: (event: AssetEvent<Type>) => void } = {
  upload({ type, asset, payload }) {
    has<'upload'>()(type)
    named(asset)
    has<string>()(asset.assetId)
    has<number>()(asset.version)
    has<number>()(payload.bytes)
    has<string[]>()(payload.tags)
    has<number | undefined>()(payload.duration)
    has<string | undefined>()(payload.context?.custom?.alt)
    has<Metadata | undefined>()(payload.metadata)
    has<string | null | undefined>()(payload.notification_context?.triggered_by?.id)
    has<'upload'>()(payload.notification_type)
    has<unknown>()(payload.a_new_field)
    // @ts-expect-error a number
    payload.bytes.trim()
  },
  restore_asset_version({ asset, payload }) {
    has<string>()(asset.publicId)
    has<number | undefined>()(payload.bytes)
  },
  generate_archive({ asset, payload }) {
    named(asset)
    has<number | undefined>()(payload.file_count)
  },
  resource_tags_changed({ asset, payload }) {
    named(asset)
    has<string | undefined>()(asset.assetId)
    has<string[]>()(payload.added)
    has<string[]>()(payload.removed)
    has<string[] | undefined>()(payload.updated)
  },
  resource_context_changed({ asset, payload }) {
    named(asset)
    has<ContextChange | undefined>()(payload.added)
  },
  resource_metadata_changed({ asset, payload }) {
    named(asset)
    has<Metadata>()(payload.previous_metadata)
    has<Metadata>()(payload.new_metadata)
  },
  resource_display_name_changed({ asset, payload }) {
    named(asset)
    has<string | undefined>()(payload.previous_display_name)
    has<string>()(payload.new_display_name)
  },
  access_control_changed({ asset, payload }) {
    named(asset)
    has<string | undefined>()(payload.new_access_control?.[0]?.access_type)
  },
  move({ asset, payload }) {
    named(asset)
    has<string | undefined>()(payload.to_asset_folder)
    has<string | undefined>()(payload.to_folder)
  },
  rename({ asset, payload }) {
    has<string>()(asset.publicId)
    has<string | undefined>()(asset.resourceType)
    has<string>()(payload.from_public_id)
    has<string | undefined>()(payload.to_type)
  },
  delete({ asset, payload }) {
    has<string>()(asset.publicId)
    has<string | undefined>()(asset.deliveryType)
    has<number | undefined>()(payload.version)
  },
  delete_by_token({ asset, payload }) {
    has<string>()(asset.publicId)
    has<string | undefined>()(payload.asset_id)
  },
  publish({ asset, payload }) {
    has<string>()(asset.publicId)
    has<string>()(payload.public_id)
  },
  eager({ asset, payload }) {
    has<string>()(asset.publicId)
    has<string | undefined>()(asset.resourceType)
    has<string | undefined>()(payload.eager[0]?.transformation)
    has<string | undefined>()(payload.batch_id)
  },
  explode({ asset, payload }) {
    has<Asset | null>()(asset)
    has<number | undefined>()(payload.pages)
  },
  multi({ asset, payload }) {
    has<Asset | null>()(asset)
    has<string | undefined>()(payload.secure_url)
  },
  sprite({ asset, payload }) {
    has<Asset | null>()(asset)
    has<string | undefined>()(payload.css_url)
  },
  moderation({ asset, payload }) {
    has<string>()(asset.publicId)
    has<string | undefined>()(asset.assetId)
    has<string>()(payload.moderation_status)
    has<string>()(payload.moderation_kind)
  },
  moderation_summary({ asset, payload }) {
    has<string>()(asset.publicId)
    has<string | undefined>()(payload.moderation?.[0]?.kind)
  },
  info({ asset, payload }) {
    has<string>()(asset.publicId)
    has<string>()(payload.info_kind)
    has<unknown>()(payload.info_data)
  },
  proof_status_changed({ asset, payload }) {
    has<Asset | null>()(asset)
    has<string | undefined>()(payload.new_status)
  },
  related_assets({ asset, payload }) {
    has<Asset | null>()(asset)
    has<string | undefined>()(payload.action_type)
  },
  error({ asset, payload }) {
    has<Asset | null>()(asset)
    has<string | undefined>()(payload.public_id)
  },
  scheduled_search({ asset, payload }) {
    named(asset)
    has<string>()(payload.schedule)
    has<Metadata | undefined>()(payload.metadata)
  },
  create_folder({ asset, payload }) {
    has<null>()(asset)
    has<string>()(payload.folder_path)
  },
  delete_folder({ asset, payload }) {
    has<null>()(asset)
    has<string>()(payload.folder_path)
  },
  move_or_rename_asset_folder({ asset, payload }) {
    has<null>()(asset)
    has<string>()(payload.from_path)
  },
  report({ asset, payload }) {
    has<null>()(asset)
    has<string | undefined>()(payload.report_id)
  },
  bulk_refresh_auto_fetch({ asset, payload }) {
    has<null>()(asset)
    has<number | undefined>()(payload.total_failed)
  },
  invalidate_custom_cdn({ asset, payload }) {
    has<null>()(asset)
    has<string[] | undefined>()(payload.urls)
  },
  unknown({ asset, payload }) {
    has<Asset | null>()(asset)
    has<Record<string, unknown>>()(payload)
  }
}

const many: readonly Processor[] = [helloWorldTag()]

/** Inline processors in `processors`. */
export const listener: Listener = defineListener({
  processors: [
    helloWorldTag(),
    {
      name: 'one-type',
      on: ['resource_tags_changed'],
      when: (event) => event.payload.added.every((tag) => tag.startsWith('a')),
      handle(event) {
        has<string[]>()(event.payload.added)
        has<string>()(event.asset.publicId)
      }
    },
    {
      name: 'handle-before-on',
      handle: async (event, { log, signal }) => {
        signal.throwIfAborted()
        if (event.type === 'rename') return event.payload.from_public_id
        has<number>()(event.payload.bytes)
        log.info('a note')
      },
      on: ['upload', 'rename']
    },
    {
      name: 'all',
      on: ['*'],
      handle(event) {
        has<AssetEvent>()(event)
        has<Record<string, unknown>>()(event.payload)
        if (isEventOf(event, 'upload')) has<number>()(event.payload.bytes)
      }
    },
    defineProcessor({
      name: 'defined',
      on: ['delete', 'resource_tags_changed'],
      requires: ['CMS_URL'],
      when: ({ asset }) => asset.publicId.startsWith('a'),
      handle(event, { config }) {
        has<string>()(config.CMS_URL)
        if (event.type === 'resource_tags_changed') has<string[]>()(event.payload.added)
      }
    }),
    ...many
  ]
})

defineListener(listener)
defineListener({ processors: many.filter(({ name }) => name !== 'two') })

/** A processor of some types is a processor. */
const typed: Processor<'upload'> = { name: 'typed', on: ['upload'], handle: (event) => event.asset.publicId }
export const general: readonly Processor[] = [typed]
void testProcessor(typed, 'upload')

/** An event of some types is an event. */
export const event = (given: AssetEvent<'upload' | 'rename'>): AssetEvent => given

defineListener({
  processors: [
    {
      name: 'misspelt-type',
      // @ts-expect-error not an event type
      on: ['uploads'],
      handle() {}
    },
    {
      name: 'wrong-note',
      on: ['upload'],
      // @ts-expect-error a note is text
      handle: () => 5
    }
  ]
})

export const other: Processor<'upload'> = {
  name: 'other',
  on: ['upload'],
  // @ts-expect-error a handler of another type
  handle: (_event: AssetEvent<'rename'>) => {}
}
