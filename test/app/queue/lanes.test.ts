import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { Lanes } from '../../../app/queue/lanes.ts'

interface Item {
  group: string
  bytes: number
  name: string
}

/** Lanes whose items run, and whose releases stay pending, until the test ends them. */
function build({ maximumWaitingBytes = 100 } = {}) {
  const running = new Map<string, (mayContinue: boolean) => void>()
  const releasing = new Map<string, () => void>()
  const started: string[] = []
  const released: string[] = []
  let ended = 0
  const lanes = new Lanes<Item>({
    run({ name }) {
      const { promise, resolve } = Promise.withResolvers<boolean>()
      started.push(name)
      running.set(name, resolve)
      return promise.finally(() => running.delete(name))
    },
    release({ name }) {
      const { promise, resolve } = Promise.withResolvers<void>()
      released.push(name)
      releasing.set(name, resolve)
      return promise.finally(() => releasing.delete(name))
    },
    maximumWaitingBytes,
    onEnd: () => ended++
  })
  /** `a1 a2 b1` are two items of group a and one of group b, of ten bytes each; `a1:50` has fifty. */
  const add = (text: string) =>
    lanes.add(
      text.split(' ').map((word) => {
        const [name = '', bytes = 10] = word.split(':')
        return { group: name.slice(0, 1), name, bytes: Number(bytes) }
      })
    )
  const finish = async (name: string, mayContinue = true) => {
    running.get(name)?.(mayContinue)
    await turn()
  }
  const confirmReleases = async () => {
    for (const confirm of releasing.values()) confirm()
    await turn()
  }
  const names = () => lanes.items.map(({ name }) => name)
  return { lanes, add, finish, confirmReleases, names, running, started, released, ended: () => ended }
}

/** Lets settled promises continue. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('runs the items of a group in order, and groups in parallel', async (t) => {
  const { lanes, add, finish, running, ended, names } = build()
  add('a1 b1 a2 a3')
  t.equal(lanes.size, 2)
  t.strictSame([...running.keys()], ['a1', 'b1'])
  t.strictSame(names(), ['a1', 'a2', 'a3', 'b1'])
  await finish('a1')
  t.strictSame([...running.keys()], ['b1', 'a2'])
  await finish('b1')
  t.strictSame([lanes.size, ended()], [1, 1])
  add('a4')
  for (const name of ['a2', 'a3', 'a4']) await finish(name)
  t.strictSame([lanes.size, ended()], [0, 2])
})

test('releases the later items of a lane together when one fails', async (t) => {
  const { lanes, add, finish, confirmReleases, started, released, names } = build()
  add('a1 a2 a3 b1')
  await finish('a1', false)
  t.strictSame(released, ['a2', 'a3'])
  t.equal(lanes.size, 2, 'their lane ends when the releases are confirmed')
  await confirmReleases()
  t.strictSame(names(), ['b1'])
  t.strictSame(started, ['a1', 'b1'])
})

test('runs an item that is added while others of its lane are being released', async (t) => {
  const { add, finish, confirmReleases, running, released } = build()
  add('a1 a2')
  await finish('a1', false)
  add('a3 a4')
  t.strictSame([...running.keys()], [])
  await confirmReleases()
  t.strictSame([...running.keys()], ['a3'])
  await finish('a3')
  t.strictSame([...running.keys()], ['a4'])
  t.strictSame(released, ['a2'])
})

test('releases items beyond the waiting limit, with all later items of their group', async (t) => {
  const { add, finish, confirmReleases, names, released } = build({ maximumWaitingBytes: 100 })
  add('a1:1000 a2:60 a3:50 a4:10 b1:1000 b2:40 b3:1')
  t.strictSame(released, ['a3', 'a4', 'b3'])
  t.strictSame(names(), ['a1', 'a2', 'b1', 'b2'])
  await confirmReleases()
  await finish('a1')
  add('b4:60 b5:1')
  t.strictSame(released.slice(3), ['b5'], 'a running item does not count')
  await finish('b1', false)
  await confirmReleases()
  add('c1 c2:100 c3:1')
  t.strictSame(released.slice(4), ['b2', 'b4', 'c3'], 'nor does a released one')
})

test('idle waits for running items and for releases', async (t) => {
  const { lanes, add, finish, confirmReleases } = build({ maximumWaitingBytes: 0 })
  await lanes.idle()
  add('a1 a2')
  let isIdle = false
  const idle = lanes.idle().then(() => {
    isIdle = true
  })
  await finish('a1')
  t.notOk(isIdle)
  await confirmReleases()
  await idle
})

const groups = fc.constantFrom('a', 'b', 'c')
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.array(fc.tuple(groups, fc.nat(60)), { minLength: 1, maxLength: 10 }) },
    { weight: 5, arbitrary: fc.record({ finish: fc.nat(), mayContinue: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant('confirm' as const) }
  ),
  { maxLength: 40 }
)

test('keeps the order and the limit, and runs or releases each item, under any schedule', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const { add, finish, confirmReleases, running, started, released, names, lanes } = build()
      const added = new Map<string, number>()
      const check = () => {
        const runningNow = [...running.keys()]
        const inGroups = new Set(runningNow.map((name) => name.slice(0, 1)))
        assert.equal(inGroups.size, runningNow.length, 'one of a group at a time')
        assert.ok(runningNow.length <= lanes.size)
        const waiting = names().filter((name) => !started.includes(name))
        const bytes = waiting.reduce((sum, name) => sum + added.get(name)!, 0)
        assert.ok(bytes <= 100, `${bytes} bytes wait`)
      }
      for (const step of given) {
        if (step === 'confirm') await confirmReleases()
        else if ('finish' in step) {
          const name = [...running.keys()][step.finish % Math.max(1, running.size)]
          if (name !== undefined) await finish(name, step.mayContinue)
        } else {
          const received = step.map(([group, bytes]) => {
            const name = `${group}${added.size}`
            added.set(name, bytes)
            return `${name}:${bytes}`
          })
          add(received.join(' '))
          // SQS delivers no message of a group behind one that is held, so items after a release are of a
          // later receive
          const behind = new Set<string>()
          for (const word of received) {
            const [name = ''] = word.split(':')
            if (released.includes(name)) behind.add(name.slice(0, 1))
            else assert.ok(!behind.has(name.slice(0, 1)), 'no item is kept behind a released one')
          }
        }
        check()
      }
      while (lanes.size > 0) {
        for (const name of [...running.keys()]) await finish(name)
        await confirmReleases()
      }
      // a release may outlast its lane
      await confirmReleases()
      await lanes.idle()
      for (const group of 'abc') {
        const order = (all: string[]) => all.filter((name) => name.startsWith(group))
        const ran = order(started)
        assert.deepEqual(
          ran,
          order([...added.keys()]).filter((name) => ran.includes(name)),
          'in order'
        )
      }
      assert.deepEqual([...started, ...released].toSorted(), [...added.keys()].toSorted(), 'each once')
    }),
    { numRuns: 200 }
  )
})
