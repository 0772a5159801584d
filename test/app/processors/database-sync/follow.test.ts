import assert from 'node:assert/strict'
import fc, { type Scheduler } from 'fast-check'
import t from 'tap'
import { CloudinaryError } from '../../../../app/cloudinary/cloudinary-error.ts'
import type { Asset } from '../../../../app/ingest/event.ts'
import { type EventOfAsset, follow } from '../../../../app/processors/database-sync/follow.ts'
import type { AssetEditor } from '../../../../dev/cloudinary/asset-editor.ts'
import { MemoryRows } from '../../../support/asset-rows.ts'
import { act, comparable, older, perform, SilentCloudinary } from '../../../support/silent-cloudinary.ts'

function build() {
  const cloudinary = new SilentCloudinary()
  const rows = new MemoryRows()
  const { signal } = new AbortController()
  const context = { cloudinary, signal }
  return {
    cloudinary,
    rows,
    context,
    change: (make: (changes: AssetEditor) => unknown, isOld = () => false) =>
      cloudinary.change(make).map((event) => (isOld() ? older(event) : event)),
    follow: (event: EventOfAsset | undefined) => follow(event!, context, rows),
    /** The table, by asset. */
    table: () => comparable([...rows.rows.values()].map(({ asset }) => asset)),
    expected: () => comparable(cloudinary.all())
  }
}

type Rows = Parameters<typeof follow>[2]

/** The rows, with some other method. */
const instead = (rows: MemoryRows, methods: Partial<Rows>): Rows => ({
  now: () => rows.now(),
  put: (...given) => rows.put(...given),
  claims: (...given) => rows.claims(...given),
  remove: (...given) => rows.remove(...given),
  clear: (...given) => rows.clear(...given),
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

t.test('an asset that is named by its id alone is asked for by the name of its row', async (t) => {
  const { change, follow, table, expected, uploaded } = await buildAsset()
  const event = { ...uploaded, asset: { assetId: uploaded.asset.assetId! } }
  change((changes) => changes.addTags('a', ['y']))
  t.equal(await follow(event), 'row updated')
  t.strictSame(table(), expected())
  change((changes) => changes.destroy('a'))
  t.equal(await follow({ ...event, type: 'delete' }), 'row removed')
  t.match(await follow(event), /^skipped/)
  t.strictSame(table(), [])
})

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
  const [renamed] = change((changes) => changes.rename('a', 'b'))
  change((changes) => changes.destroy('b'))
  const remove: MemoryRows['remove'] = async (...given) => {
    await followNow(renamed)
    return rows.remove(...given)
  }
  t.equal(await follow(renamed!, context, instead(rows, { remove })), 'row removed')
  t.strictSame(table(), [])
})

t.test('a row that changes while it is being removed stays', async (t) => {
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
  const clear: MemoryRows['clear'] = async (...given) => {
    cloudinary.cloud.assets.add(asset)
    await followNow(uploaded)
    return rows.clear(...given)
  }
  t.match(await follow(deleted!, context, instead(rows, { clear })), /^skipped/)
  t.strictSame(table(), expected())
})

/** What may happen, and be heard of, to the asset `a` while the event of its upload has looked and not stored yet. */
const OVERTAKEN: Record<string, ((changes: AssetEditor) => unknown)[]> = {
  deleted: [(changes) => changes.destroy('a')],
  'renamed and deleted': [(changes) => changes.rename('a', 'b'), (changes) => changes.destroy('b')],
  'given another type and deleted': [
    (changes) => changes.rename('a', 'b', { toType: 'private' }),
    (changes) => changes.destroy('b', { type: 'private' })
  ],
  'overwritten by an asset that is deleted': [
    (changes) => changes.upload({ publicId: 'b' }),
    (changes) => changes.rename('b', 'a', { overwrite: true }),
    (changes) => changes.destroy('a')
  ],
  'overwritten by an asset that is renamed': [
    (changes) => changes.upload({ publicId: 'b' }),
    (changes) => changes.rename('b', 'a', { overwrite: true }),
    (changes) => changes.rename('a', 'c')
  ]
}

/** An upload whose event is slow; a worker may end before that event looks a second time. */
function overtaken(by: ((changes: AssetEditor) => unknown)[], isOld: boolean, endsAfterPut = false) {
  const built = build()
  const { change, cloudinary, rows, context, follow: followNow } = built
  const [uploaded] = change(
    (changes) => changes.upload({ publicId: 'a' }),
    () => isOld
  )
  let puts = 0
  const put: MemoryRows['put'] = async (...given) => {
    const meanwhile = puts++ === 0 ? by : []
    for (const make of meanwhile) {
      for (const event of change(make, () => isOld)) await followNow(event)
    }
    return rows.put(...given)
  }
  const currentState = async (asset: Asset) => {
    if (endsAfterPut && puts > 0) throw new Error('the worker has ended')
    return cloudinary.currentState(asset)
  }
  const slowContext = { ...context, cloudinary: { currentState } }
  return { ...built, uploaded, slow: follow(uploaded!, slowContext, instead(rows, { put })) }
}

for (const [what, by] of Object.entries(OVERTAKEN)) {
  for (const isOld of [false, true]) {
    t.test(
      `what was seen before the asset was ${what} is not left${isOld ? ', without ids' : ''}`,
      async (t) => {
        const { slow, table, expected } = overtaken(by, isOld)
        t.equal(await slow, 'row removed')
        t.strictSame(table(), expected())
      }
    )

    t.test(`nor when the worker ends in between: ${what}${isOld ? ', without ids' : ''}`, async (t) => {
      const { slow, table, expected, follow, uploaded } = overtaken(by, isOld, true)
      await t.rejects(slow, { message: 'the worker has ended' })
      t.not(table().length, expected().length)
      t.equal(await follow(uploaded), 'row removed')
      t.strictSame(table(), expected())
    })
  }
}

t.test('what another event saw before the row was placed does not confirm it', async (t) => {
  const { change, rows, context, follow: followNow, table } = build()
  const [uploaded] = change((changes) => changes.upload({ publicId: 'a' }))
  const [tagged] = change((changes) => changes.addTags('a', ['y']))
  // both have looked; the deletion is handled before either stores
  let puts = 0
  const gate = Promise.withResolvers<void>()
  const put: MemoryRows['put'] = async (...given) => {
    if (++puts === 2) {
      await followNow(change((changes) => changes.destroy('a'))[0])
      gate.resolve()
    }
    await gate.promise
    return rows.put(...given)
  }
  const slowRows = instead(rows, { put })
  await Promise.all([follow(uploaded!, context, slowRows), follow(tagged!, context, slowRows)])
  t.strictSame(table(), [])
})

t.test('a rename whose new name is seen as another one by then does not leave the old one', async (t) => {
  const { change, rows, context, follow: followNow, table, expected } = await buildAsset()
  const [renamed] = change((changes) => changes.rename('a', 'c'))
  const put: MemoryRows['put'] = async (...given) => {
    const [other] = change((changes) => changes.upload({ publicId: 'b' }))
    await followNow(other)
    await followNow(change((changes) => changes.rename('b', 'c', { overwrite: true }))[0])
    return rows.put(...given)
  }
  t.equal(await follow(renamed!, context, instead(rows, { put })), 'skipped: something later was seen')
  t.strictSame(table(), expected())
})

t.test('a row that is found by its old name and renamed meanwhile is looked at again', async (t) => {
  const { change, cloudinary, rows, context, table, expected, follow: followNow } = await buildAsset()
  const [renamed] = change((changes) => changes.rename('a', 'b'))
  const [back] = change((changes) => changes.rename('b', 'a'))
  let isFirst = true
  const currentState = async (asset: Asset) => {
    const state = await cloudinary.currentState(asset)
    if (isFirst && asset.publicId === 'a') {
      isFirst = false
      await followNow(change((changes) => changes.rename('a', 'c'))[0])
      change((changes) => changes.rename('c', 'a'))
      await followNow(back)
    }
    return state
  }
  await follow(renamed!, { ...context, cloudinary: { currentState } }, rows)
  t.strictSame(table(), expected())
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
        const { change, cloudinary, rows, context, table, expected } = build()
        const slow = <Part extends object>(part: Part) => inTurns(part, scheduler, () => oneIn(20))
        const slowContext = { ...context, cloudinary: slow(cloudinary) }
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
