import assert from 'node:assert/strict'
import fc, { type Scheduler } from 'fast-check'
import t from 'tap'
import { CloudinaryError } from '../../../../app/cloudinary/cloudinary-error.ts'
import type { Asset } from '../../../../app/ingest/event.ts'
import { type EventOfAsset, syncEvent } from '../../../../app/processors/database-sync/sync-event.ts'
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
    syncEvent: (event: EventOfAsset | undefined) => syncEvent(event!, context, rows),
    /** The table, by asset. */
    table: () => comparable([...rows.rows.values()].map(({ asset }) => asset)),
    expected: () => comparable(cloudinary.all())
  }
}

type Rows = Parameters<typeof syncEvent>[2]

/** The rows, with some methods replaced. */
const instead = (rows: MemoryRows, methods: Partial<Rows>): Rows => ({
  now: () => rows.now(),
  put: (...given) => rows.put(...given),
  claims: (...given) => rows.claims(...given),
  remove: (...given) => rows.remove(...given),
  clear: (...given) => rows.clear(...given),
  ...methods
})

/** Uploads the asset `a`, and returns its event. */
async function buildAsset() {
  const built = build()
  const [uploaded] = built.change((changes) => changes.upload({ publicId: 'a', tags: ['x'] }))
  return { ...built, uploaded: uploaded!, inserted: await built.syncEvent(uploaded) }
}

t.test('returns a note with the outcome', async (t) => {
  const { change, syncEvent, uploaded, inserted } = await buildAsset()
  t.equal(inserted, 'row inserted')
  t.equal(await syncEvent(uploaded), 'row updated')
  const [renamed] = change((changes) => changes.rename('a', 'b'))
  t.match(await syncEvent(uploaded), /^skipped/)
  t.equal(await syncEvent(renamed), 'row updated')
  const [deleted] = change((changes) => changes.destroy('b'))
  t.equal(await syncEvent(deleted), 'row removed')
  t.match(await syncEvent({ ...deleted!, type: 'delete_by_token' }), /^skipped/)
})

t.test('keeps a row while the name of its asset is unknown', async (t) => {
  const { change, syncEvent, table, expected } = await buildAsset()
  const [tagged] = change((changes) => changes.addTags('a', ['y']))
  const [renamed] = change((changes) => changes.rename('a', 'b'))
  await syncEvent(tagged)
  t.match(table(), [{ public_id: 'a' }])
  await syncEvent(renamed)
  t.strictSame(table(), expected())
})

t.test('does not delete a row if Cloudinary fails', async (t) => {
  const { change, rows, context, table } = await buildAsset()
  const [deleted] = change((changes) => changes.destroy('a'))
  const currentState = () =>
    Promise.reject(new CloudinaryError('CLOUDINARY_UNAVAILABLE', '503', { kind: 'retryable' }, 503))
  await t.rejects(syncEvent(deleted!, { ...context, cloudinary: { currentState } }, rows), {
    code: 'CLOUDINARY_UNAVAILABLE'
  })
  t.equal(table().length, 1)
})

t.test('uses the name in the row for an asset without a name', async (t) => {
  const { change, syncEvent, table, expected, uploaded } = await buildAsset()
  const event = { ...uploaded, asset: { assetId: uploaded.asset.assetId! } }
  change((changes) => changes.addTags('a', ['y']))
  t.equal(await syncEvent(event), 'row updated')
  t.strictSame(table(), expected())
  change((changes) => changes.destroy('a'))
  t.equal(await syncEvent({ ...event, type: 'delete' }), 'row removed')
  t.match(await syncEvent(event), /^skipped/)
  t.strictSame(table(), [])
})

t.test('does not write after the lease is lost', async (t) => {
  const { context, rows, cloudinary, uploaded } = await buildAsset()
  const lease = new AbortController()
  const currentState = async (asset: Asset) => {
    lease.abort(new Error('lease lost'))
    return cloudinary.currentState(asset)
  }
  const before = structuredClone([...rows.rows])
  await t.rejects(
    syncEvent(uploaded, { ...context, signal: lease.signal, cloudinary: { currentState } }, rows),
    {
      message: 'lease lost'
    }
  )
  t.strictSame([...rows.rows], before)
})

t.test('accepts a row that another event removed meanwhile', async (t) => {
  const { change, rows, context, syncEvent: followNow, table } = await buildAsset()
  const [renamed] = change((changes) => changes.rename('a', 'b'))
  change((changes) => changes.destroy('b'))
  const remove: MemoryRows['remove'] = async (...given) => {
    await followNow(renamed)
    return rows.remove(...given)
  }
  t.equal(await syncEvent(renamed!, context, instead(rows, { remove })), 'row removed')
  t.strictSame(table(), [])
})

t.test('keeps a row that changes while it is being removed', async (t) => {
  const {
    change,
    cloudinary,
    rows,
    context,
    syncEvent: followNow,
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
  t.match(await syncEvent(deleted!, context, instead(rows, { clear })), /^skipped/)
  t.strictSame(table(), expected())
})

/** AssetEditor of the asset `a`, with their events, between the read and the write of its upload event. */
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

/** An upload whose event is slow; its worker may stop before the second read. */
function overtaken(by: ((changes: AssetEditor) => unknown)[], isOld: boolean, endsAfterPut = false) {
  const built = build()
  const { change, cloudinary, rows, context, syncEvent: followNow } = built
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
    if (endsAfterPut && puts > 0) throw new Error('the worker crashed')
    return cloudinary.currentState(asset)
  }
  const slowContext = { ...context, cloudinary: { currentState } }
  return { ...built, uploaded, slow: syncEvent(uploaded!, slowContext, instead(rows, { put })) }
}

for (const [what, by] of Object.entries(OVERTAKEN)) {
  for (const isOld of [false, true]) {
    t.test(
      `removes a row that was read before the asset was ${what}${isOld ? ', without ids' : ''}`,
      async (t) => {
        const { slow, table, expected } = overtaken(by, isOld)
        t.equal(await slow, 'row removed')
        t.strictSame(table(), expected())
      }
    )

    t.test(
      `removes it in a retry if the worker crashes in between: ${what}${isOld ? ', without ids' : ''}`,
      async (t) => {
        const { slow, table, expected, syncEvent, uploaded } = overtaken(by, isOld, true)
        await t.rejects(slow, { message: 'the worker crashed' })
        t.not(table().length, expected().length)
        t.equal(await syncEvent(uploaded), 'row removed')
        t.strictSame(table(), expected())
      }
    )
  }
}

t.test('does not confirm a row with an earlier read', async (t) => {
  const { change, rows, context, syncEvent: followNow, table } = build()
  const [uploaded] = change((changes) => changes.upload({ publicId: 'a' }))
  const [tagged] = change((changes) => changes.addTags('a', ['y']))
  // both events have read; the deletion is handled before either writes
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
  await Promise.all([syncEvent(uploaded!, context, slowRows), syncEvent(tagged!, context, slowRows)])
  t.strictSame(table(), [])
})

t.test('removes the old name of a rename overtaken by another one', async (t) => {
  const { change, rows, context, syncEvent: followNow, table, expected } = await buildAsset()
  const [renamed] = change((changes) => changes.rename('a', 'c'))
  const put: MemoryRows['put'] = async (...given) => {
    const [other] = change((changes) => changes.upload({ publicId: 'b' }))
    await followNow(other)
    await followNow(change((changes) => changes.rename('b', 'c', { overwrite: true }))[0])
    return rows.put(...given)
  }
  t.equal(await syncEvent(renamed!, context, instead(rows, { put })), 'skipped: the row is newer')
  t.strictSame(table(), expected())
})

t.test('reads again after a row is renamed meanwhile', async (t) => {
  const { change, cloudinary, rows, context, table, expected, syncEvent: followNow } = await buildAsset()
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
  await syncEvent(renamed!, { ...context, cloudinary: { currentState } }, rows)
  t.strictSame(table(), expected())
})

t.test('does not overwrite a newer row', async (t) => {
  const { change, rows, context, syncEvent: followNow, table, expected, uploaded } = await buildAsset()
  const put: MemoryRows['put'] = async (...given) => {
    await followNow(change((changes) => changes.addTags('a', ['y']))[0])
    return rows.put(...given)
  }
  t.equal(await syncEvent(uploaded, context, instead(rows, { put })), 'skipped: the row is newer')
  t.strictSame(table(), expected())
})

t.test('restores the row of a restored asset', async (t) => {
  const { change, cloudinary, syncEvent, table, expected, uploaded } = await buildAsset()
  const asset = cloudinary.cloud.assets.find('a')!
  const [deleted] = change((changes) => changes.destroy('a'))
  t.equal(await syncEvent(deleted), 'row removed')
  cloudinary.cloud.assets.add(asset)
  t.equal(await syncEvent({ ...uploaded, type: 'restore_asset_version' }), 'row inserted')
  t.strictSame(table(), expected())
})

/** How many of ten notifications are old ones. */
const howOld = fc.constantFrom(0, 0, 3, 10)

/** Random choices: the next waiting event, its number of deliveries, and whether to change an asset first. */
const choices = fc.infiniteStream(fc.nat(1_000_000))

t.test('converges for any events in any order, repeated', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 1, maxLength: 12 }),
      choices,
      howOld,
      async (acts, choices, old) => {
        const { change, syncEvent, table, expected } = build()
        const choose = (below: number) => choices.next().value! % below
        const waiting: EventOfAsset[] = []
        const toDo = [...acts]
        while (toDo.length + waiting.length > 0) {
          if (toDo.length > 0 && choose(2) === 0) {
            waiting.push(...change(perform(toDo.shift()!), () => choose(10) < old))
          } else if (waiting.length > 0) {
            const index = choose(waiting.length)
            await syncEvent(waiting[index])
            // redelivered or not
            if (choose(3) > 0) waiting.splice(index, 1)
          }
        }
        assert.deepEqual(table(), expected())
      }
    ),
    { numRuns: 300 }
  )
})

/** Makes each method call wait for its turn; `breaks` selects the calls that fail. */
const inTurns = <Part extends object>(part: Part, scheduler: Scheduler, breaks: () => boolean): Part =>
  new Proxy(part, {
    get:
      (target, name) =>
      async (...given: unknown[]) => {
        await scheduler.schedule(Promise.resolve(), String(name))
        if (breaks()) throw new Error('the worker crashed')
        return (target as Record<string | symbol, (...given: unknown[]) => unknown>)[name]!.apply(
          target,
          given
        )
      }
  })

t.test('converges for parallel and interrupted events', async () => {
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
        syncEvent(event, slowContext, slowRows).catch(() => handle(event))
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
})
