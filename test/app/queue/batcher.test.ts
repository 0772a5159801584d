import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Batcher, type BatcherOptions, type Settlement } from '../../../app/queue/batcher.ts'

interface Call {
  items: string[]
  /** Ends the call with each item's own result, or with the given ones. */
  answer: (settlements?: Settlement<string>[]) => void
  fail: (error: unknown) => void
}

const done = (item: string): Settlement<string> => ({ ok: true, value: `${item} done` })

/** A batcher whose calls stay in flight until the test ends them. */
function build(options: Partial<BatcherOptions<string, string>> = {}) {
  const calls: Call[] = []
  const batcher = new Batcher<string, string>({
    maximumCalls: 1,
    send: (items) => {
      const { promise, resolve, reject } = Promise.withResolvers<Settlement<string>[]>()
      calls.push({ items, answer: (settlements = items.map(done)) => resolve(settlements), fail: reject })
      return promise
    },
    ...options
  })
  return { batcher, calls, sent: () => calls.map(({ items }) => items.join(' ')) }
}

/** Lets settled promises continue, and what they add be sent. */
const turn = async () => {
  for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve))
}

/** Tracks the state of a promise. */
function watch(promise: Promise<unknown>) {
  const state: { outcome: 'pending' | 'resolved' | 'rejected'; with?: unknown } = { outcome: 'pending' }
  promise.then(
    (value) => Object.assign(state, { outcome: 'resolved', with: value }),
    (error) => Object.assign(state, { outcome: 'rejected', with: error })
  )
  return state
}

const range = (count: number) => Array.from({ length: count }, (_, index) => String(index))

t.test('sends an item at once while no call is in flight', async (t) => {
  const { batcher, calls, sent } = build()
  const added = batcher.add('a')
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(sent(), ['a'], 'within a turn of the event loop')
  calls[0]?.answer()
  t.equal(await added, 'a done')
})

t.test('sends items that are added until the scheduled flush in one batch', async (t) => {
  const flushes: (() => void)[] = []
  const { batcher, calls, sent } = build({ schedule: (flush) => void flushes.push(flush) })
  const added = [batcher.add('a')]
  await turn()
  added.push(batcher.add('b'))
  t.strictSame([sent(), flushes.length], [[], 1])
  flushes.shift()?.()
  calls[0]?.answer()
  t.strictSame(await Promise.all(added), ['a done', 'b done'])
  t.strictSame(sent(), ['a b'])
})

t.test('sends a full batch before the scheduled flush only if asked', async (t) => {
  for (const fullAtOnce of [false, true]) {
    const flushes: (() => void)[] = []
    const { batcher, calls, sent } = build({
      fullAtOnce,
      maximumItems: 2,
      schedule: (flush) => void flushes.push(flush)
    })
    for (const item of range(5)) void batcher.add(item)
    await turn()
    t.strictSame(sent(), fullAtOnce ? ['0 1'] : [])
    flushes.shift()?.()
    calls[0]?.answer()
    await turn()
    t.strictSame(sent(), fullAtOnce ? ['0 1', '2 3'] : ['0 1'], 'a call that returns makes room')
    calls[1]?.answer()
    await turn()
    t.equal(sent().length, fullAtOnce ? 2 : 1, 'the last one waits')
    flushes.shift()?.()
    t.strictSame(sent().at(-1), fullAtOnce ? '4' : '2 3')
  }
})

t.test('sends items that are added in the same turn in one batch', async (t) => {
  const { batcher, calls, sent } = build()
  const added = ['a', 'b', 'c'].map((item) => batcher.add(item))
  await turn()
  t.strictSame(sent(), ['a b c'])
  calls[0]?.answer()
  t.strictSame(await Promise.all(added), ['a done', 'b done', 'c done'])
})

t.test('sends items in their own calls until the maximum number of calls is in flight', async (t) => {
  const { batcher, calls, sent } = build({ maximumCalls: 3 })
  for (const item of ['a', 'b', 'c', 'd', 'e']) {
    void batcher.add(item)
    await turn()
  }
  t.strictSame(sent(), ['a', 'b', 'c'])
  calls[1]?.answer()
  await turn()
  t.strictSame(sent(), ['a', 'b', 'c', 'd e'], 'waiting items share a batch when a call returns')
})

t.test('splits many items of one turn into parallel batches of ten', async (t) => {
  const { batcher, sent } = build({ maximumCalls: 2 })
  for (const item of range(25)) void batcher.add(item)
  await turn()
  t.strictSame(sent(), ['0 1 2 3 4 5 6 7 8 9', '10 11 12 13 14 15 16 17 18 19'])
})

t.test('sends waiting items in order, in batches of ten', async (t) => {
  const { batcher, calls } = build()
  const added = range(25).map((item) => batcher.add(item))
  await turn()
  for (let count = 1; count <= 3; count++) {
    t.equal(calls.length, count)
    calls.at(-1)?.answer()
    await turn()
  }
  t.strictSame(
    calls.map(({ items }) => items.length),
    [10, 10, 5]
  )
  t.strictSame(
    calls.flatMap(({ items }) => items),
    range(25)
  )
  t.strictSame(
    await Promise.all(added),
    range(25).map((item) => `${item} done`)
  )
})

t.test('limits the number of items in a batch', async (t) => {
  const { batcher, sent } = build({ maximumCalls: 9, maximumItems: 2 })
  for (const item of range(5)) void batcher.add(item)
  await turn()
  t.strictSame(sent(), ['0 1', '2 3', '4'])
})

t.test('limits the size of a batch, and fills it to the last byte', async (t) => {
  const { batcher, sent } = build({ maximumCalls: 9, maximumBytes: 6, sizeOf: (item) => item.length })
  for (const item of ['aaa', 'bbb', 'c', 'ddd', 'ee', 'f', 'g']) void batcher.add(item)
  await turn()
  t.strictSame(sent(), ['aaa bbb', 'c ddd ee', 'f g'])
})

t.test('sends an item that exceeds the size limit on its own', async (t) => {
  const { batcher, sent } = build({ maximumCalls: 9, maximumBytes: 6, sizeOf: (item) => item.length })
  for (const item of ['a', 'seven..', 'b']) void batcher.add(item)
  await turn()
  t.strictSame(sent(), ['a', 'seven..', 'b'])
})

t.test('settles each item with its own outcome', async (t) => {
  const { batcher, calls } = build()
  const error = new Error('b is rejected')
  const added = Promise.allSettled(['a', 'b', 'c'].map((item) => batcher.add(item)))
  await turn()
  calls[0]?.answer([done('a'), { ok: false, error }, done('c')])
  const [a, b, c] = await added
  t.strictSame(a, { status: 'fulfilled', value: 'a done' })
  t.equal(b?.status === 'rejected' && b.reason, error)
  t.strictSame(c, { status: 'fulfilled', value: 'c done' })
})

t.test('fails all items of a failed call, and sends the next ones', async (t) => {
  const { batcher, calls, sent } = build({ maximumItems: 2 })
  const error = new Error('no connection')
  const added = ['a', 'b', 'c'].map((item) => watch(batcher.add(item)))
  await turn()
  calls[0]?.fail(error)
  await turn()
  t.strictSame(sent(), ['a b', 'c'])
  t.equal(added[0]?.with, error)
  t.equal(added[1]?.with, error)
  t.strictSame(added[2], { outcome: 'pending' })
})

t.test('fails the items if `send` throws synchronously', async (t) => {
  const error = new Error('at once')
  const { batcher } = build({
    send: () => {
      throw error
    }
  })
  await t.rejects(batcher.add('a'), error)
  await t.rejects(batcher.add('b'), error)
  t.equal(batcher.pendingBytes, 0)
  await batcher.idle()
})

t.test('fails an item that the response omits', async (t) => {
  const { batcher, calls } = build()
  const a = watch(batcher.add('a'))
  const b = watch(batcher.add('b'))
  await turn()
  calls[0]?.answer([done('a')])
  await turn()
  t.strictSame(a, { outcome: 'resolved', with: 'a done' })
  t.match(b, { outcome: 'rejected', with: Error })
})

t.test('fails only the item whose size cannot be determined', async (t) => {
  const { batcher, calls, sent } = build({
    sizeOf: (item) => {
      if (item === 'bad') throw new TypeError('no size')
      return 1
    }
  })
  const good = watch(batcher.add('good'))
  await t.rejects(batcher.add('bad'), { message: 'no size' })
  await turn()
  t.strictSame(sent(), ['good'])
  calls[0]?.answer()
  await turn()
  t.strictSame(good, { outcome: 'resolved', with: 'good done' })
  t.equal(batcher.pendingBytes, 0)
})

t.test('drops a waiting item when its signal aborts', async (t) => {
  const { batcher, calls, sent } = build()
  const abort = new AbortController()
  const reason = new Error('too late')
  void batcher.add('in flight')
  await turn()
  const dropped = watch(batcher.add('dropped', abort.signal))
  const kept = watch(batcher.add('kept'))
  abort.abort(reason)
  calls[0]?.answer()
  await turn()
  t.equal(dropped.outcome, 'rejected', 'when its turn has come')
  t.equal(dropped.with, reason)
  t.strictSame(kept, { outcome: 'pending' })
  t.strictSame(sent(), ['in flight', 'kept'])
})

t.test('does not send an item whose signal aborts in the same turn', async (t) => {
  const { batcher, sent } = build()
  const abort = new AbortController()
  const dropped = watch(batcher.add('dropped', abort.signal))
  abort.abort()
  await turn()
  t.match(dropped, { outcome: 'rejected', with: { name: 'AbortError' } })
  t.strictSame(sent(), [])
  await batcher.idle()
})

t.test('does not cancel an item in flight', async (t) => {
  const { batcher, calls } = build()
  const abort = new AbortController()
  const added = watch(batcher.add('a', abort.signal))
  await turn()
  abort.abort()
  await turn()
  t.strictSame(added, { outcome: 'pending' })
  calls[0]?.answer()
  await turn()
  t.strictSame(added, { outcome: 'resolved', with: 'a done' })
})

t.test('rejects an item whose signal has already aborted', async (t) => {
  const { batcher, sent } = build({ sizeOf: () => 1 })
  const reason = new Error('too late')
  const added = batcher.add('a', AbortSignal.abort(reason))
  await t.rejects(added, reason)
  await turn()
  t.strictSame(sent(), [])
  t.equal(batcher.pendingBytes, 0)
})

t.test('accepts one signal for a thousand items', async (t) => {
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  t.teardown(() => process.off('warning', warned))
  const { batcher, calls } = build()
  const abort = new AbortController()
  const added = range(1000).map((item) => watch(batcher.add(item, abort.signal)))
  await turn()
  abort.abort()
  calls[0]?.answer()
  await turn()
  t.equal(added.filter(({ outcome }) => outcome === 'rejected').length, 990, 'ten were in flight')
  t.strictSame(warnings, [])
})

t.test('counts the size of items until they settle', async (t) => {
  const { batcher, calls } = build({ maximumItems: 1, sizeOf: (item) => item.length })
  const abort = new AbortController()
  t.equal(batcher.pendingBytes, 0)
  const first = watch(batcher.add('12345'))
  watch(batcher.add('123'))
  watch(batcher.add('1', abort.signal))
  t.equal(batcher.pendingBytes, 9, 'in flight and waiting')
  await turn()
  abort.abort()
  calls[0]?.answer()
  await turn()
  t.equal(first.outcome, 'resolved')
  t.equal(batcher.pendingBytes, 3)
  calls[1]?.fail(new Error('refused'))
  await turn()
  t.equal(batcher.pendingBytes, 0)
})

t.test('counts no bytes without `sizeOf`', async (t) => {
  const { batcher } = build()
  void batcher.add('a')
  t.equal(batcher.pendingBytes, 0)
})

t.test('idle resolves when no item is waiting or in flight', async (t) => {
  const { batcher, calls } = build({ maximumItems: 1 })
  t.strictSame(await batcher.idle(), undefined, 'before the first item')
  const order: string[] = []
  void batcher.add('a').then(() => order.push('a'))
  const early = watch(batcher.idle())
  void batcher.add('b').then(() => order.push('b'))
  await turn()
  const late = watch(batcher.idle().then(() => order.push('idle')))
  calls[0]?.answer()
  await turn()
  t.strictSame(order, ['a'])
  t.match([early, late], [{ outcome: 'pending' }, { outcome: 'pending' }])
  calls[1]?.answer()
  await turn()
  t.match([early, late], [{ outcome: 'resolved' }, { outcome: 'resolved' }])
  t.strictSame(order.toSorted(), ['a', 'b', 'idle'])
  await batcher.idle()
})

t.test('idle resolves when the last waiting item is dropped', async (t) => {
  const { batcher } = build()
  const abort = new AbortController()
  watch(batcher.add('a', abort.signal))
  const idle = watch(batcher.idle())
  abort.abort()
  await turn()
  t.equal(idle.outcome, 'resolved')
})

t.test('idle does not resolve while another item waits', async (t) => {
  const { batcher, calls } = build()
  const abort = new AbortController()
  watch(batcher.add('dropped', abort.signal))
  watch(batcher.add('kept'))
  const idle = watch(batcher.idle())
  abort.abort()
  await turn()
  t.strictSame(idle, { outcome: 'pending' })
  calls[0]?.answer()
  await turn()
  t.equal(idle.outcome, 'resolved')
})

t.test('idle resolves after every item of the last batch has settled', async (t) => {
  const { batcher, calls } = build({ sizeOf: () => 1 })
  watch(batcher.add('a'))
  watch(batcher.add('b'))
  await turn()
  const left = batcher.idle().then(() => batcher.pendingBytes)
  calls[0]?.answer()
  t.equal(await left, 0)
})

/** A step of a random schedule. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('add' as const), bytes: fc.integer({ min: 0, max: 7 }) })
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(),
      how: fc.constantFrom('answered', 'mixed', 'short', 'failed')
    })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), which: fc.nat() }) }
)

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** An item of a random schedule, with its expected and actual outcomes. */
interface Tracked {
  id: number
  bytes: number
  abort: AbortController
  sent: boolean
  expected?: string
  settled: string[]
}

/** The expected outcome of each item of a call, and its response; undefined for a failed call. */
function ending(batch: readonly Tracked[], how: string) {
  const failed = (id: number) => how === 'mixed' && id % 2 === 1
  const answer = batch.map(
    ({ id }): Settlement<string> =>
      failed(id) ? { ok: false, error: new Error(`${id} failed`) } : { ok: true, value: `${id} done` }
  )
  const expected = batch.map(({ id }) => (failed(id) ? `${id} failed` : `${id} done`))
  if (how === 'failed') return { answer: undefined, expected: batch.map(() => 'the call failed') }
  if (how === 'short')
    return {
      answer: answer.slice(0, -1),
      expected: [...expected.slice(0, -1), 'the response has no entry for this item']
    }
  return { answer, expected }
}

t.test('settles every item once with its own outcome, under any schedule', async () => {
  const maximumBytes = 12
  const scenario = async (steps: Step[], maximumCalls: number, maximumItems: number) => {
    const items: Tracked[] = []
    const open: ((how: string) => void)[] = []
    const order: number[] = []
    // an error thrown in `send` would only fail the call
    const violations: string[] = []
    const check = (holds: boolean, rule: string) => void (holds || violations.push(rule))
    const batcher = new Batcher<Tracked, string>({
      maximumCalls,
      maximumItems,
      maximumBytes,
      sizeOf: ({ bytes }) => bytes,
      send: (batch) => {
        const { promise, resolve, reject } = Promise.withResolvers<Settlement<string>[]>()
        const end = (how: string) => {
          open.splice(open.indexOf(end), 1)
          const { answer, expected } = ending(batch, how)
          for (const [index, item] of batch.entries()) item.expected = expected[index]!
          if (answer) resolve(answer)
          else reject(new Error('the call failed'))
        }
        open.push(end)
        check(open.length <= maximumCalls, 'no more calls are in flight than allowed')
        check(batch.length >= 1 && batch.length <= maximumItems, 'a batch keeps to the number of items')
        check(batch.reduce((sum, { bytes }) => sum + bytes, 0) <= maximumBytes, 'a batch keeps to the bytes')
        for (const item of batch) {
          item.sent = true
          order.push(item.id)
        }
        return promise
      }
    })
    const perform = async (each: Step) => {
      switch (each.kind) {
        case 'add': {
          const item: Tracked = {
            id: items.length,
            bytes: each.bytes,
            abort: new AbortController(),
            sent: false,
            settled: []
          }
          items.push(item)
          batcher.add(item, item.abort.signal).then(
            (value) => item.settled.push(value),
            (error: Error) => item.settled.push(error.message)
          )
          return
        }
        case 'turn': {
          await turn()
          const waits = items.some(({ sent, abort }) => !sent && !abort.signal.aborted)
          check(!waits || open.length === maximumCalls, 'nothing waits while a call is free')
          return
        }
        case 'end':
          open[each.which % open.length]?.(each.how)
          return
        case 'abort': {
          const item = items[each.which % items.length]
          if (item && !item.sent) item.expected = 'dropped'
          item?.abort.abort(new Error('dropped'))
        }
      }
    }
    for (const each of steps) await perform(each)
    const idle = batcher.idle()
    for (await turn(); open.length > 0; await turn()) for (const end of [...open]) end('answered')
    await idle
    assert.deepEqual(violations, [])
    assert.equal(batcher.pendingBytes, 0, 'no bytes are left')
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
      'items leave in the order they came'
    )
    assert.deepEqual(
      items.map(({ settled }) => settled),
      items.map(({ expected }) => [expected]),
      'each settles once, with its own outcome'
    )
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 150, size: 'max' }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 10 }),
      scenario
    )
  )
})
