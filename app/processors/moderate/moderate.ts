import { z } from 'zod'
import { isNotFound } from '../../cloudinary/cloudinary-error.ts'
import { type IdentifiedAsset, kindOf } from '../../cloudinary/identified-asset.ts'
import { PermanentError } from '../../errors.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import type { Processor, ProcessorContext } from '../../processor.ts'
import { ASSET_DELETED, byCurrentName, checkIdentity } from '../current-name.ts'
import { checkOptions, TAG } from '../processor-options.ts'
import { BY_PERSON, type Decision, decisionOf, isDecision, kindOfModeration } from './decision.ts'
import { planFor, type QuarantineOptions, type QuarantinePlan } from './quarantine-plan.ts'

/** Called after an asset was quarantined or restored. May be called twice for one decision. */
export type NotifyDecision = (
  decision: Decision,
  context: Pick<ProcessorContext, 'config' | 'log' | 'signal'>
) => unknown

const Options = z
  .strictObject({
    name: z.string().default('moderate'),
    /** The asset folder that rejected assets are moved to; false to leave them. */
    folder: z
      .union([
        z
          .string()
          .min(1)
          .max(255)
          .regex(/^[^?&#\\%<>+]*[^?&#\\%<>+ /]$/),
        z.literal(false)
      ])
      .default('quarantine'),
    /** Deliver rejected assets only to requests with a token. */
    restrict: z.boolean().default(false),
    /** Tags rejected assets. */
    tag: TAG.optional(),
    /** Kinds of moderation whose decisions count. (Default: all) */
    kinds: z.array(z.string().min(1)).min(1).optional(),
    /** External id of the metadata field that holds the previous state. */
    field: z.string().min(1).max(255).default('quarantined'),
    notify: z.custom<NotifyDecision>((value) => typeof value === 'function', 'must be a function').optional()
  })
  .refine(({ folder, restrict, tag }) => folder !== false || restrict || tag !== undefined, {
    error: 'set `folder`, `restrict` or `tag`: nothing would be done'
  })

/** @see moderate */
export type ModerateOptions = z.input<typeof Options>

/** The latest decision of a kind of moderation that was carried out. */
interface Applied {
  at: string
  /** Set while `notify` has not returned. */
  notifies?: true
}

/**
 * Quarantines assets that moderation rejects, by folder and access control, and restores them on approval.
 * The previous state is kept in a metadata field of the asset: it is written in the same call as the
 * quarantine, and unlike `state` it does not expire. Costs two calls of the Upload API per decision that
 * changes the asset, and one per tag.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function moderate(options: ModerateOptions = {}): Processor {
  const { name, kinds, notify, ...quarantine } = checkOptions('moderate', Options, options)
  return {
    name,
    on: ['moderation'],
    when: (event) => isDecision(event) && (kinds === undefined || kinds.includes(kindOfModeration(event))),
    metadataFields: [{ external_id: quarantine.field, label: 'Quarantine', type: 'string' }],
    async handle(event, context) {
      const { asset } = event
      if (asset === null) return 'skipped: the notification names no asset'
      try {
        return await byCurrentName(context.cloudinary, asset, (named) =>
          decide(named, event, context, quarantine, notify)
        )
      } catch (error) {
        // a moderation can be about an asset that is gone
        if (isNotFound(error)) return ASSET_DELETED
        throw error
      }
    }
  }
}

async function decide(
  named: IdentifiedAsset,
  event: AssetEvent,
  context: ProcessorContext,
  options: QuarantineOptions,
  notify: NotifyDecision | undefined
): Promise<string> {
  const { cloudinary, state } = context
  const current = await cloudinary.currentState(named)
  checkIdentity(named, current)
  const asset = { ...named, assetId: current.asset_id }
  const decision = decisionOf(event, asset)
  const keyOf = (kind: string) => `decided/${event.environment}/${current.asset_id}/${kind}`
  const key = keyOf(decision.kind)
  const last = await state.get<Applied>(key)
  // notifications have no order; the newer approval of another add-on does not revoke this one's rejection
  const byPerson = decision.kind === BY_PERSON ? undefined : await state.get<Applied>(keyOf(BY_PERSON))
  const newer = [last, byPerson].find((applied) => applied && decision.at < applied.at)
  if (newer) return `skipped: a decision of ${newer.at} is newer`
  const plan = planFor(decision, current, options)
  const isOwed = last?.at === decision.at && last.notifies === true
  if (typeof plan === 'string' && !isOwed) {
    await state.set(key, { at: decision.at })
    return plan
  }
  const isNotified = notify !== undefined && (typeof plan === 'string' || !plan.stays)
  // saved before the change: a retry must still notify when nothing is left to change
  if (isNotified) await state.set(key, { at: decision.at, notifies: true })
  if (typeof plan !== 'string') await applyPlan(plan, asset, context, options)
  if (isNotified) await notify(decision, context)
  await state.set(key, { at: decision.at })
  return `${typeof plan === 'string' ? 'restored' : plan.note}: ${decision.status} by ${decision.kind}`
}

async function applyPlan(
  { folder, access, record, addTag, removeTag }: QuarantinePlan,
  asset: IdentifiedAsset,
  { cloudinary }: Pick<ProcessorContext, 'cloudinary'>,
  { field }: QuarantineOptions
): Promise<void> {
  const kind = kindOf(asset)
  // the tag goes before the record is cleared: without a record, a retry restores nothing
  if (removeTag) {
    await cloudinary.change('remove tag', asset, (sdk, publicId, options) =>
      sdk.uploader.remove_tag(removeTag, [publicId], options)
    )
  }
  if (folder === '') {
    // the SDK leaves out an empty parameter of `explicit`, so only the Admin API can name the root folder
    const answer = await cloudinary.call('move asset to the root folder', (sdk, options) =>
      sdk.api.update(asset.publicId, { ...options, ...kind, asset_folder: '' })
    )
    checkFolder(answer as { asset_folder?: unknown }, folder)
  }
  if (folder || access || record !== undefined) {
    const answer = await cloudinary.call('quarantine or restore asset', (sdk, options) =>
      sdk.uploader.explicit(asset.publicId, {
        ...options,
        ...kind,
        ...(folder && { asset_folder: folder }),
        ...(access && { access_control: access as never }),
        ...(record !== undefined && { metadata: { [field]: record } })
      })
    )
    if (folder) checkFolder(answer, folder)
    if (record) checkRecord(answer, field, record)
  }
  if (addTag) await cloudinary.addTag(asset, addTag)
}

/** @throws {PermanentError} MODERATE_NOT_MOVED */
function checkFolder({ asset_folder: now }: { asset_folder?: unknown }, folder: string): void {
  if ((now ?? '') === folder) return
  throw new PermanentError(
    `Cloudinary did not move the asset to the folder "${folder}"; fixed-folder clouds have no asset folders: ` +
      'set `folder: false` and `restrict: true`',
    { code: 'MODERATE_NOT_MOVED' }
  )
}

/**
 * Checks that Cloudinary stored the whole record: a part of it would restore the asset to a wrong state.
 * @throws {PermanentError} MODERATE_RECORD_CUT
 */
function checkRecord({ metadata }: { metadata?: unknown }, field: string, record: string): void {
  const { [field]: stored } = (metadata ?? {}) as Record<string, unknown>
  if (typeof stored !== 'string' || stored === record || !record.startsWith(stored)) return
  throw new PermanentError(
    `the asset is in quarantine, but Cloudinary stored only ${stored.length} of ${record.length} characters in the ` +
      `metadata field ${field}: restore the asset yourself, then clear the field`,
    { code: 'MODERATE_RECORD_CUT' }
  )
}
