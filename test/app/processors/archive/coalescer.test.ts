import t from 'tap'
import { Coalescer, type CoalescerOptions } from '../../../../app/processors/archive/coalescer.ts'

const NEVER = new AbortController().signal

function build(options: Partial<CoalescerOptions<string, number>> = {}) {
  const batches: string[][] = []
  const timers: { milliseconds: number; tick: () => void; isCancelled: boolean }[] = []
  const coalescer = new Coalescer<string, number>({
    store: async (items) => batches.push([...items]),
    windowMs: 2000,
    maximumItems: 3,
    maximumSize: 10,
    sizeOf: ({ length }) => length,
    startTimer: (milliseconds, tick) => {
      const timer = { milliseconds, tick, isCancelled: false }
      timers.push(timer)
      return () => {
        timer.isCancelled = true
      }
    },
    ...options
  })
  return { coalescer, batches, timers, add: (item: string) => coalescer.add(item, NEVER) }
}

t.test('stores together what arrives within the window of the first item', async (t) => {
  const { add, batches, timers } = build()
  const added = [add('a'), add('b')]
  t.match(timers, [{ milliseconds: 2000 }])
  t.strictSame(batches, [])
  timers[0]?.tick()
  t.strictSame(await Promise.all(added), [1, 1])
  t.strictSame(batches, [['a', 'b']])
  void add('c')
  t.equal(timers.length, 2)
})

t.test('stores a full batch at once', async (t) => {
  const { add, batches, timers } = build()
  await Promise.all([add('a'), add('b'), add('c')])
  await add('ten letters')
  t.strictSame(batches, [['a', 'b', 'c'], ['ten letters']])
  t.ok(timers.every(({ isCancelled }) => isCancelled))
})

t.test('rejects every item of a batch that fails, and no other', async (t) => {
  let calls = 0
  const { add, coalescer } = build({
    store: async () => {
      calls++
      if (calls === 1) throw new Error('no bucket')
      return calls
    }
  })
  const failed = [add('a'), add('b')]
  coalescer.flush()
  const next = add('c')
  coalescer.flush()
  for (const each of failed) await t.rejects(each, /no bucket/)
  t.equal(await next, 2)
})

t.test('an aborted item does not wait, and does not stop the others', async (t) => {
  const { coalescer, add, batches } = build({ store: async () => Promise.reject(new Error('late')) })
  const stopping = new AbortController()
  const aborted = coalescer.add('a', stopping.signal)
  stopping.abort(new Error('stopping'))
  await t.rejects(aborted, /stopping/)
  const other = add('b')
  coalescer.flush()
  await t.rejects(other, /late/)
  coalescer.flush()
  t.strictSame(batches, [], 'there is nothing to store')
})

t.test('uses a timer of its own by default', async (t) => {
  const batches: string[][] = []
  const coalescer = new Coalescer<string, number>({
    store: async (items) => batches.push([...items]),
    windowMs: 0,
    maximumItems: 2,
    maximumSize: 10,
    sizeOf: () => 1
  })
  await coalescer.add('a', NEVER)
  await Promise.all([coalescer.add('b', NEVER), coalescer.add('c', NEVER)])
  t.strictSame(batches, [['a'], ['b', 'c']])
})
