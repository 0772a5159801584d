import assert from 'node:assert/strict'
import fc, { type Scheduler } from 'fast-check'
import t from 'tap'
import type { AssetState } from '../../../../app/cloudinary/client.ts'
import type { Asset } from '../../../../app/cloudinary/event.ts'
import { CloudinaryError } from '../../../../app/cloudinary/fault.ts'
import { toEvents } from '../../../../app/cloudinary/notification.ts'
import { type EventOfAsset, follow } from '../../../../app/processors/database-sync/follow.ts'
import { uploadFields } from '../../../../dev/cloudinary/asset-view.ts'
import { Changes, type Tools } from '../../../../dev/cloudinary/changes.ts'
import { Cloud } from '../../../../dev/cloudinary/cloud.ts'
import { COLLEAGUE, LOCAL_CLOUDINARY } from '../../../../dev/defaults.ts'
import { MemoryRows } from '../../../support/asset-rows.ts'
import { memoryState } from '../../../support/state.ts'

const ORIGIN = { source: 'api', id: COLLEAGUE.apiKey } as const

/** Cloudinary's stand-in without its server: who changes something gets the events that it would notify. */
class Cloudinary {
  readonly cloud = new Cloud(LOCAL_CLOUDINARY)
  readonly #bodies: string[] = []
  readonly #changes = new Changes(this.cloud, ORIGIN, {
    clock: Date.now,
    notifier: { send: (_cloud: Cloud, body: string) => void this.#bodies.push(body) },
    eager: { failure: () => undefined, videoSyncLimitBytes: 0 }
  } as unknown as Tools)

  change(make: (changes: Changes) => unknown): EventOfAsset[] {
    try {
      make(this.#changes)
    } catch {
      // refused: nothing has changed
    }
    return this.#bodies.splice(0).flatMap(
      (body) =>
        toEvents(Buffer.from(body), {
          environment: LOCAL_CLOUDINARY.cloudName,
          isOwnKey: () => false,
          receivedAt: new Date(),
          signedAt: 1_780_000_000
        }) as EventOfAsset[]
    )
  }

  async currentState({ publicId = '', resourceType, deliveryType }: Asset): Promise<AssetState> {
    const kind = { ...(resourceType && { resourceType }), ...(deliveryType && { type: deliveryType }) }
    const asset = this.cloud.assets.find(publicId, kind)
    if (asset) return structuredClone(uploadFields(asset, this.cloud)) as AssetState
    throw new CloudinaryError('CLOUDINARY_NOT_FOUND', 'read asset: 404', { kind: 'permanent' }, 404)
  }

  /** All its assets, as they are to be in the table. */
  all(): AssetState[] {
    return this.cloud.assets.all().map((asset) => uploadFields(asset, this.cloud) as AssetState)
  }
}

/** As older notifications are: without the asset's id, and so with a group of its name. */
function older(event: EventOfAsset): EventOfAsset {
  const { assetId: _, ...asset } = event.asset
  return { ...event, asset, group: `public id ${asset.publicId}` }
}

function build() {
  const cloudinary = new Cloudinary()
  const rows = new MemoryRows()
  const { state, entries } = memoryState()
  const { signal } = new AbortController()
  const context = { cloudinary, state, signal }
  return {
    cloudinary,
    rows,
    state,
    /** What is kept beside the table. */
    entries,
    context,
    change: (make: (changes: Changes) => unknown, isOld = () => false) =>
      cloudinary.change(make).map((event) => (isOld() ? older(event) : event)),
    follow: (event: EventOfAsset | undefined) => follow(event!, context, rows),
    /** The table, by asset. */
    table: () => sorted([...rows.rows.values()].map(({ asset }) => asset)),
    expected: () => sorted(cloudinary.all())
  }
}

const sorted = (assets: AssetState[]) =>
  assets
    .map(({ asset_id, public_id, type, tags, context }) => ({ asset_id, public_id, type, tags, context }))
    .toSorted((a, b) => (a.asset_id < b.asset_id ? -1 : 1))

type Rows = Parameters<typeof follow>[2]

/** The rows, with some other method. */
const instead = (rows: MemoryRows, methods: Partial<Rows>): Rows => ({
  now: () => rows.now(),
  put: (...given) => rows.put(...given),
  claims: (...given) => rows.claims(...given),
  remove: (...given) => rows.remove(...given),
  ...methods
})

/** One asset, `a`, uploaded and heard of. */
async function buildAsset() {
  const built = build()
  const [uploaded] = built.change((changes) => changes.upload({ publicId: 'a', tags: ['x'] }))
  return { ...built, uploaded: uploaded!, inserted: await built.follow(uploaded) }
}

t.test('what was done is noted', async (t) => {
  const { change, follow, uploaded, inserted } = await buildAsset()
  t.equal(inserted, 'row inserted')
  t.equal(await follow(uploaded), 'row updated')
  const [renamed] = change((changes) => changes.rename('a', 'b'))
  t.equal(await follow(uploaded), 'skipped: not there by this name, and no row is left to remove')
  t.equal(await follow(renamed), 'row updated')
  const [deleted] = change((changes) => changes.destroy('b'))
  t.equal(await follow(deleted), 'row removed')
  t.equal(
    await follow({ ...deleted!, type: 'delete_by_token' }),
    'skipped: not there by this name, and no row is left to remove'
  )
})

t.test('a row is kept while nobody knows what its asset is called', async (t) => {
  const { change, follow, table, expected } = await buildAsset()
  const [tagged] = change((changes) => changes.addTags('a', ['y']))
  const [renamed] = change((changes) => changes.rename('a', 'b'))
  await follow(tagged)
  t.match(table(), [{ public_id: 'a' }])
  await follow(renamed)
  t.strictSame(table(), expected())
})

t.test('a failure of Cloudinary is no deletion', async (t) => {
  const { change, rows, context, table } = await buildAsset()
  const [deleted] = change((changes) => changes.destroy('a'))
  const currentState = () =>
    Promise.reject(new CloudinaryError('CLOUDINARY_UNAVAILABLE', '503', { kind: 'retryable' }, 503))
  await t.rejects(follow(deleted!, { ...context, cloudinary: { currentState } }, rows), {
    code: 'CLOUDINARY_UNAVAILABLE'
  })
  t.equal(table().length, 1)
})

t.test(
  'an asset that is named by its id alone cannot be asked for, and is removed when it is deleted',
  async (t) => {
    const { follow, table, uploaded } = await buildAsset()
    const event = { ...uploaded, asset: { assetId: uploaded.asset.assetId! } }
    t.match(await follow(event), /^skipped/)
    t.equal(table().length, 1)
    t.equal(await follow({ ...event, type: 'delete' }), 'row updated', 'it is still where its row says')
  }
)

t.test('what was seen before the lease was lost is not stored after it', async (t) => {
  const { context, rows, cloudinary, uploaded } = await buildAsset()
  const lease = new AbortController()
  const currentState = async (asset: Asset) => {
    lease.abort(new Error('lease lost'))
    return cloudinary.currentState(asset)
  }
  const before = structuredClone([...rows.rows])
  await t.rejects(
    follow(uploaded, { ...context, signal: lease.signal, cloudinary: { currentState } }, rows),
    {
      message: 'lease lost'
    }
  )
  t.strictSame([...rows.rows], before)
})

t.test('a row that another event has removed meanwhile is as good as removed', async (t) => {
  const { change, rows, context, follow: followNow, table } = await buildAsset()
  const [deleted] = change((changes) => changes.destroy('a'))
  const remove: MemoryRows['remove'] = async (...given) => {
    await followNow(deleted)
    return rows.remove(...given)
  }
  t.equal(await follow(deleted!, context, instead(rows, { remove })), 'row removed')
  t.strictSame(table(), [])
})

t.test('a row that changes while it is being removed is looked at again', async (t) => {
  const {
    change,
    cloudinary,
    rows,
    context,
    follow: followNow,
    table,
    expected,
    uploaded
  } = await buildAsset()
  const asset = cloudinary.cloud.assets.find('a')!
  const [deleted] = change((changes) => changes.destroy('a'))
  const remove: MemoryRows['remove'] = async (...given) => {
    cloudinary.cloud.assets.add(asset)
    await followNow(uploaded)
    return rows.remove(...given)
  }
  const slowRows = instead(rows, { remove })
  t.equal(await follow(deleted!, context, slowRows), 'row updated')
  t.strictSame(table(), expected())
})

/** An upload whose event is slow: while it has looked and not stored yet, the asset is deleted, and that is heard of. */
async function overtaken(by: 'nothing else' | 'a worker that ends') {
  const built = build()
  const { change, rows, context, follow: followNow, state } = built
  const [uploaded] = change((changes) => changes.upload({ publicId: 'a' }))
  let isFirst = true
  const put: MemoryRows['put'] = async (...given) => {
    if (isFirst) await followNow(change((changes) => changes.destroy('a'))[0])
    isFirst = false
    return rows.put(...given)
  }
  const slowRows = instead(rows, { put })
  const get = () => Promise.reject(new Error('the worker has ended'))
  const fragile = by === 'a worker that ends' ? { ...state, get } : state
  return { ...built, uploaded, slow: follow(uploaded!, { ...context, state: fragile }, slowRows) }
}

t.test('what was seen before a deletion is not stored after it', async (t) => {
  const { slow, table } = await overtaken('nothing else')
  t.equal(await slow, 'row removed')
  t.strictSame(table(), [])
})

t.test('nor when the worker ends in between, and the event is tried again', async (t) => {
  const { slow, table, follow, uploaded } = await overtaken('a worker that ends')
  await t.rejects(slow, { message: 'the worker has ended' })
  t.equal(table().length, 1)
  t.equal(await follow(uploaded), 'row removed')
  t.strictSame(table(), [])
})

t.test('what was seen before another event looked is not stored over what that one saw', async (t) => {
  const { change, rows, context, follow: followNow, table, expected, uploaded } = await buildAsset()
  const put: MemoryRows['put'] = async (...given) => {
    await followNow(change((changes) => changes.addTags('a', ['y']))[0])
    return rows.put(...given)
  }
  t.equal(await follow(uploaded, context, instead(rows, { put })), 'skipped: something later was seen')
  t.strictSame(table(), expected())
})

t.test('an asset that comes back after it was gone has its row again', async (t) => {
  const { change, cloudinary, follow, table, expected, uploaded } = await buildAsset()
  const asset = cloudinary.cloud.assets.find('a')!
  const [deleted] = change((changes) => changes.destroy('a'))
  t.equal(await follow(deleted), 'row removed')
  cloudinary.cloud.assets.add(asset)
  t.equal(await follow({ ...uploaded, type: 'restore_asset_version' }), 'row inserted')
  t.strictSame(table(), expected())
})

/** What people do to three names. */
const NAMES = ['a', 'b', 'c'] as const
type Act = { do: string; name: string; to: string; value: string; toType: string }
const act: fc.Arbitrary<Act> = fc.record({
  do: fc.constantFrom(
    'upload',
    'upload',
    'tag',
    'context',
    'rename',
    'rename',
    'overwrite',
    'retype',
    'destroy'
  ),
  name: fc.constantFrom(...NAMES),
  to: fc.constantFrom(...NAMES),
  value: fc.constantFrom('x', 'y', 'z'),
  toType: fc.constantFrom('upload', 'private')
})

function perform({ do: what, name, to, value, toType }: Act): (changes: Changes) => unknown {
  switch (what) {
    case 'upload':
      return (changes) => changes.upload({ publicId: name, tags: [value] })
    case 'tag':
      return (changes) => changes.changeTags('replace', [...NAMES], [value])
    case 'context':
      return (changes) => changes.changeContext(name, () => ({ alt: value }))
    case 'rename':
      return (changes) => changes.rename(name, to)
    case 'overwrite':
      return (changes) => name !== to && changes.rename(name, to, { overwrite: true })
    case 'retype':
      return (changes) =>
        changes.rename(name, to, { type: toType === 'upload' ? 'private' : 'upload', toType })
    default:
      return (changes) => changes.destroy(name)
  }
}

/** How many of ten notifications are older ones. */
const howOld = fc.constantFrom(0, 0, 3, 10)

/** Numbers that choose: which of the events that wait is next, how often it comes, and whether to act first. */
const choices = fc.infiniteStream(fc.nat(1_000_000))

t.test(
  'whatever happens and in whatever order it is heard of, and how often: the table ends as Cloudinary',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 1, maxLength: 12 }),
        choices,
        howOld,
        async (acts, choices, old) => {
          const { change, follow, table, expected } = build()
          const choose = (below: number) => choices.next().value! % below
          const waiting: EventOfAsset[] = []
          const toDo = [...acts]
          while (toDo.length + waiting.length > 0) {
            if (toDo.length > 0 && choose(2) === 0) {
              waiting.push(...change(perform(toDo.shift()!), () => choose(10) < old))
            } else if (waiting.length > 0) {
              const index = choose(waiting.length)
              await follow(waiting[index])
              // comes again, or not
              if (choose(3) > 0) waiting.splice(index, 1)
            }
          }
          assert.deepEqual(table(), expected())
        }
      ),
      { numRuns: 300 }
    )
  }
)

/** Has each call of its methods wait for its turn; `breaks` says which of them fail. */
const inTurns = <Part extends object>(part: Part, scheduler: Scheduler, breaks: () => boolean): Part =>
  new Proxy(part, {
    get:
      (target, name) =>
      async (...given: unknown[]) => {
        await scheduler.schedule(Promise.resolve(), String(name))
        if (breaks()) throw new Error('the worker has ended')
        return (target as Record<string | symbol, (...given: unknown[]) => unknown>)[name]!.apply(
          target,
          given
        )
      }
  })

t.test(
  'events side by side do not undo each other, even when one is broken off and tried again, as long as those of an asset come one by one',
  async () => {
    const acts = fc.array(act, { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), acts, choices, howOld, async (scheduler, acts, choices, old) => {
        const tenth = () => choices.next().value! % 10
        const oneIn = (number: number) => choices.next().value! % number === 0
        const { change, cloudinary, rows, state, context, table, expected } = build()
        const slow = <Part extends object>(part: Part) => inTurns(part, scheduler, () => oneIn(20))
        const slowContext = { ...context, cloudinary: slow(cloudinary), state: slow(state) }
        const slowRows = slow(rows)
        const handle = async (event: EventOfAsset): Promise<unknown> =>
          follow(event, slowContext, slowRows).catch(() => handle(event))
        const groups = new Map<string, Promise<unknown>>()
        const arrive = async (event: EventOfAsset) => {
          await scheduler.schedule(Promise.resolve(), `${event.type} arrives`)
          const before = groups.get(event.group) ?? Promise.resolve()
          groups.set(
            event.group,
            before.then(() => handle(event))
          )
        }
        const run = async () => {
          const arrivals: Promise<void>[] = []
          for (const act of acts) {
            await scheduler.schedule(Promise.resolve(), act.do)
            for (const event of change(perform(act), () => tenth() < old)) {
              arrivals.push(arrive(event))
              if (oneIn(4)) arrivals.push(arrive(event))
            }
          }
          await Promise.all(arrivals)
          await Promise.all(groups.values())
        }
        await scheduler.waitFor(run())
        assert.deepEqual(table(), expected())
      }),
      { numRuns: 150 }
    )
  }
)
