import { createHash } from 'node:crypto'
import type { Test } from 'tap'
import { helloWorldTag, type Processor } from '../../../app/listener.ts'
import type { Delivery } from '../../../dev/cloudinary/cloudinary-server.ts'
import { buildListener } from '../../support/listener.ts'
import { buildReconcile, HOUR_MS } from './run-reconcile.ts'

/** Time between kinds of changes; in total within the 300 s that a signature may be in the future. */
const STEP_MS = 50_000

/** Default of `--grace`. */
const GRACE_MS = 45 * 60_000

/** A pass ends this much earlier, because SQS may not count its newest messages yet. */
const UNCOUNTED_MS = 60_000

/** A notification caused by a colleague. */
interface Told {
  type: string
  publicId: string
}

const nameOf = ({ type, publicId }: Told) => `${type} ${publicId}`

/** Chooses the notifications to lose. */
export type Choose = (told: readonly string[]) => readonly string[]

/** Chooses 5 %, deterministic by seed. */
export const aTwentieth =
  (seed: string): Choose =>
  (told) =>
    shuffled(told, seed).slice(0, told.length * 0.05)

/**
 * Causes notifications, loses some, reconciles twice, and returns what was found and what ran. 40 % are
 * uploads, and 20 % each are changes of tags, metadata and context.
 */
export async function loseAndFind(t: Test, notifications: number, choose: Choose) {
  const runs = new Map<string, number>()
  const counter: Processor = {
    name: 'counter',
    on: ['*'],
    handle({ type, asset }) {
      const name = nameOf({ type, publicId: asset!.publicId! })
      runs.set(name, (runs.get(name) ?? 0) + 1)
    }
  }
  let ahead = 0
  const system = await buildListener(t, [helloWorldTag(), counter], {
    // low, because an overloaded `web` answers 503, and the stand-in would give those notifications up
    cloudinary: { clock: () => Date.now() + ahead, deliveryConcurrency: 20 }
  })
  const { cloudinary, atRest } = system
  const uploads = Array.from({ length: notifications * 0.4 }, (_, index) => `asset-${index}`)
  const changed = uploads.slice(0, notifications * 0.2)
  const told = [
    ...uploads.map((publicId) => nameOf({ type: 'upload', publicId })),
    ...['tags', 'metadata', 'context'].flatMap((side) =>
      changed.map((publicId) => nameOf({ type: `resource_${side}_changed`, publicId }))
    )
  ]
  const toLose = new Set(choose(told))
  const namesIn = (body: string) => {
    const { notification_type: type, resources, public_id } = JSON.parse(body)
    const one = Array.isArray(resources) ? resources[0].public_id : Object.keys(resources ?? {})[0]
    return nameOf({ type, publicId: public_id ?? one })
  }
  const own = cloudinary.cloud().own.apiKey
  cloudinary.drops.add({
    when: ({ body }) =>
      JSON.parse(body).notification_context.triggered_by.id !== own && toLose.has(namesIn(body))
  })

  // one kind of change after the other, with some time between them on Cloudinary's clock
  const editor = cloudinary.ui()
  const steps: ((publicId: string, index: number) => void)[] = [
    (publicId) => editor.addTags(publicId, ['summer']),
    (publicId, index) => editor.setMetadata(publicId, { cms_id: `article-${index}` }),
    (publicId) => editor.changeContext(publicId, () => ({ alt: 'a bag' }))
  ]
  for (const publicId of uploads) cloudinary.as().upload({ publicId, resourceType: 'image' })
  await atRest()
  for (const step of steps) {
    ahead += STEP_MS
    changed.forEach(step)
    await atRest()
  }
  cloudinary.drops.clear()
  const lost = cloudinary.deliveries.filter(({ attempt }: Delivery) => attempt === 0)
  const missing = told.filter((name) => !runs.has(name)).sort()

  // changes by the listener for reconciled events are later than the end of the pass
  const reconcile = buildReconcile(t, system, {
    clock: () => Date.now() + ahead - STEP_MS / 2 + GRACE_MS + UNCOUNTED_MS
  })
  ahead += STEP_MS
  const startedAt = performance.now()
  const first = await reconcile([])
  const seconds = (performance.now() - startedAt) / 1000
  await atRest()
  ahead += STEP_MS
  const second = await reconcile(['--since', new Date(Date.now() - HOUR_MS).toISOString()])
  await atRest()
  return {
    told,
    lost: lost.map(({ body }) => namesIn(body)).sort(),
    /** Events that had not run before the first pass. */
    missing,
    /** The lost notifications, for a late delivery. */
    lostDeliveries: lost,
    first,
    found: first.sent.map(nameOf).sort(),
    second,
    runs,
    seconds,
    system
  }
}

const shuffled = (names: readonly string[], seed: string) =>
  names
    .map((name) => ({ name, key: createHash('sha256').update(`${seed} ${name}`).digest('hex') }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ name }) => name)
