import t, { type Test } from 'tap'
import { Letters } from '../../../../app/commands/redrive/dead-letter-reader.ts'
import {
  parseRedrive,
  type RedriveOptions,
  redrive,
  type Selection
} from '../../../../app/commands/redrive/redrive.ts'
import { ListenerError } from '../../../../app/errors.ts'
import type { AssetEvent } from '../../../../app/ingest/event.ts'
import { encodeMessage } from '../../../../app/queue/message-codec.ts'
import { buildQueues, collect, eventOf, QUIET, REASON } from '../../../support/operator.ts'
import { startSqsFake } from '../../../support/sqs-fake.ts'

const ALL: Selection = { ids: [], types: [], dryRun: false }
const RUN = { kind: 'redrive', id: 'c0ffee00' } as const

async function build(t: Test) {
  const queues = await buildQueues(t)
  const { lines, print } = collect()
  return {
    ...queues,
    lines,
    redrive: (selection: Partial<Selection> = {}, options: Partial<RedriveOptions> = {}) =>
      redrive(
        { ...ALL, ...selection },
        {
          letters: queues.letters(),
          sender: queues.sender,
          print,
          runId: RUN.id,
          signal: new AbortController().signal,
          clock: Date.now,
          ...options
        }
      )
  }
}

t.test('options', async (t) => {
  t.strictSame(parseRedrive([]), ALL)
  t.strictSame(parseRedrive(['--id', 'a', '--id', 'b', '--type', 'upload', '--dry-run']), {
    ids: ['a', 'b'],
    types: ['upload'],
    dryRun: true
  })
  t.throws(() => parseRedrive(['--bogus']), { code: 'USAGE' })
  t.throws(() => parseRedrive(['--id', '']), { code: 'USAGE', message: /--id/ })
  t.throws(() => parseRedrive(['--type', 'uplod']), { code: 'USAGE', message: /"uplod" .*upload/ })
})

t.test('every letter is moved, as part of one run, and deleted', async (t) => {
  const { bury, queued, buried, lines, redrive } = await build(t)
  const events = Array.from({ length: 25 }, (_, index) => eventOf(`e${index}`))
  for (const event of events) await bury(event)
  t.equal(await redrive(), 0)
  t.strictSame(
    queued().sort((a, b) => a.id.localeCompare(b.id)),
    events.map((event) => ({ ...event, run: RUN })).sort((a, b) => a.id.localeCompare(b.id))
  )
  t.strictSame(buried(), { seen: 0, held: 0 })
  t.equal(lines.filter((line) => line.startsWith('moved')).length, 25)
  t.match(lines.at(-2), /^Moved 25 events \(25 letters\) as run c0ffee00\. Left: none\.$/)
})

t.test('letters of one event are one run of it', async (t) => {
  const { bury, queued, buried, redrive, lines } = await build(t)
  await bury(eventOf('one'))
  await bury(eventOf('one'), { ...REASON, processor: 'stamper' })
  t.equal(await redrive({}, { roundSize: 1 }), 0)
  t.strictSame(queued(), [eventOf('one', { run: RUN })])
  t.strictSame(buried(), { seen: 0, held: 0 })
  t.match(lines.at(-2), /^Moved 1 event \(2 letters\)/)
})

t.test(
  'what is redriven out of a replay belongs to it still, and again when it dies once more',
  async (t) => {
    const { bury, queued, redrive } = await build(t)
    await bury(eventOf('e1', { run: { kind: 'replay', id: 'p1' } }))
    await bury(eventOf('e2', { run: { kind: 'redrive', id: 'r1', replay: 'p2' } }))
    await bury(eventOf('e3', { run: { kind: 'redrive', id: 'r1' } }))
    t.equal(await redrive(), 0)
    t.strictSame(
      queued()
        .sort((a, b) => a.id.localeCompare(b.id))
        .map(({ run }) => run),
      [{ ...RUN, replay: 'p1' }, { ...RUN, replay: 'p2' }, RUN]
    )
  }
)

t.test('of an event with letters of its own and of replays, the latest replay is gone on with', async (t) => {
  const { bury, queued, buried, redrive } = await build(t)
  await bury(eventOf('one'))
  for (const id of ['p1', 'p2']) {
    await bury(eventOf('one', { run: { kind: 'replay', id } }), { ...REASON, processor: `of-${id}` })
  }
  t.equal(await redrive(), 0)
  t.strictSame(queued(), [eventOf('one', { run: { ...RUN, replay: 'p2' } })])
  t.strictSame(buried(), { seen: 0, held: 0 })
})

t.test('events of one asset go in the order in which they occurred', async (t) => {
  const { bury, queued, redrive } = await build(t)
  const at = (second: number) =>
    eventOf(`e${second}`, { group: 'one-asset', occurredAt: `2026-06-01T12:00:0${second}.000Z` })
  for (const second of [3, 1, 2]) await bury(at(second))
  t.equal(await redrive(), 0)
  t.strictSame(
    queued().map(({ id }) => id),
    ['e1', 'e2', 'e3']
  )
})

t.test('what was not asked for is handed back, each letter seen once', async (t) => {
  const { bury, queued, buried, lines, redrive } = await build(t)
  await bury(eventOf('one'))
  await bury(eventOf('two', { type: 'rename' }))
  await bury(eventOf('three', { type: 'rename' }))
  t.equal(await redrive({ types: ['rename'], ids: ['three', 'one'] }), 0)
  t.strictSame(
    queued().map(({ id }) => id),
    ['three']
  )
  t.strictSame(buried(), { seen: 2, held: 0 })
  t.equal(lines.filter((line) => line.startsWith('kept')).length, 2)
})

t.test('an id without a letter cannot be moved', async (t) => {
  const { bury, redrive, lines } = await build(t)
  await bury(eventOf('one'))
  t.equal(await redrive({ ids: ['one', 'nonsense'] }), 1)
  t.ok(lines.some((line) => /^not found +nonsense/.test(line)))
})

t.test('a dry run changes nothing', async (t) => {
  const { bury, queued, buried, lines, redrive } = await build(t)
  for (const id of ['one', 'two', 'three']) await bury(eventOf(id))
  t.equal(await redrive({ dryRun: true }, { roundSize: 2 }), 0)
  t.strictSame(queued(), [])
  t.strictSame(buried(), { seen: 3, held: 0 })
  t.equal(lines.filter((line) => line.startsWith('would move')).length, 3)
})

t.test('progress is told after each round that is full', async (t) => {
  const { bury, lines, redrive } = await build(t)
  for (let index = 0; index < 12; index++) await bury(eventOf(`e${index}`))
  t.equal(await redrive({}, { roundSize: 10 }), 0)
  t.strictSame(
    lines.filter((line) => line.startsWith('…')),
    ['… 10 letters read, 10 letters moved']
  )
})

t.test('a round of large letters is full sooner', async (t) => {
  const { bury, letters, lines, redrive } = await build(t)
  for (let index = 0; index < 11; index++) await bury(eventOf(`e${index}`))
  const opened = letters()
  const large = {
    receive: async () => (await opened.receive()).map((letter) => ({ ...letter, bytes: 2 * 1024 * 1024 })),
    delete: opened.delete.bind(opened),
    handBack: () => opened.handBack()
  }
  t.equal(await redrive({ dryRun: true }, { letters: large }), 0)
  t.match(lines[10], '… 10 letters read')
})

t.test('an unreadable letter is left and counted', async (t) => {
  const { bury, deadLetters, buried, lines, redrive } = await build(t)
  await deadLetters.put('letter', 'rubbish', { code: 'MESSAGE_UNREADABLE', message: 'not ours' })
  await bury(eventOf('one'))
  t.equal(await redrive({ types: ['upload'] }), 0, 'it was not asked for')
  t.equal(await redrive(), 1)
  t.strictSame(buried(), { seen: 1, held: 0 })
  t.ok(lines.some((line) => /^unreadable {2}message .*MESSAGE_UNREADABLE: not ours/.test(line)))
})

t.test('what dies again while it runs is not moved again', async (t) => {
  const { bury, deadLetters, sender, buried, lines, redrive } = await build(t)
  await bury(eventOf('one'))
  const dyingAgain = {
    store: async (events: readonly AssetEvent[], signal: AbortSignal) => {
      await sender.store(events, signal)
      await deadLetters.put(`again.${RUN.id}`, encodeMessage(events[0]!), REASON)
    }
  }
  t.equal(await redrive({}, { sender: dyingAgain, roundSize: 1 }), 0)
  t.strictSame(buried(), { seen: 1, held: 0 })
  t.ok(lines.some((line) => line.startsWith('died again')))
})

t.test('it ends, however many letters come in meanwhile', async (t) => {
  const { bury, letters, redrive, lines, buried } = await build(t)
  await bury(eventOf('one'))
  const opened = letters()
  let number = 0
  const everMore = {
    receive: async () => {
      const received = await opened.receive()
      await bury(eventOf(`later-${number++}`))
      return received
    },
    delete: opened.delete.bind(opened),
    handBack: () => opened.handBack()
  }
  const ended = redrive({}, { letters: everMore, clock: () => Date.now() - 120_000 })
  t.equal(await ended, 0)
  t.ok(lines.some((line) => line.includes('put aside after this began')))
  t.strictSame(buried(), { seen: number + 1, held: 0 })
})

t.test(
  'what the queue has not confirmed stays a dead letter, and the later ones of its asset with it',
  async (t) => {
    const { bury, sender, queued, buried, lines, redrive } = await build(t)
    const occurred = (id: string, second: number) =>
      eventOf(id, { group: 'asset', occurredAt: `2026-06-01T12:00:0${second}.000Z` })
    await bury(occurred('first', 1))
    await bury(occurred('second', 2))
    await bury(eventOf('other'))
    const refusing = {
      store: async (events: readonly AssetEvent[], signal: AbortSignal) => {
        if (events[0]?.id === 'first') throw new ListenerError('EVENT_TOO_LARGE', 'it is too large')
        await sender.store(events, signal)
      }
    }
    t.equal(await redrive({}, { sender: refusing }), 1)
    t.strictSame(
      queued().map(({ id }) => id),
      ['other']
    )
    t.strictSame(buried(), { seen: 2, held: 0 })
    t.ok(lines.some((line) => /^not moved {3}first .*\(it is too large\)$/.test(line)))
    t.ok(lines.some((line) => /^not moved {3}second .*\(stays behind/.test(line)))
  }
)

t.test('a queue that fails stops it', async (t) => {
  const { bury, buried, lines, redrive } = await build(t)
  for (let index = 0; index < 30; index++) await bury(eventOf(`e${index}`))
  let calls = 0
  const failing = {
    store: (_events: readonly AssetEvent[], signal: AbortSignal) => {
      const cause = Object.assign(new Error(), { name: 'AccessDenied' })
      const failed = new ListenerError('QUEUE_UNAVAILABLE', 'SQS has not stored 1 of 1 events', { cause })
      if (calls++ === 0) return Promise.reject(failed)
      // those that have not left yet are dropped
      return new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    }
  }
  t.equal(await redrive({}, { sender: failing, roundSize: 20 }), 1)
  t.equal(calls, 20, 'the second round did not begin')
  t.strictSame(buried(), { seen: 30, held: 0 })
  t.ok(lines.some((line) => /^stopped: cannot send to the queue: access denied .*sqs:SendMessage/.test(line)))
})

t.test('a group that has not begun when the queue fails is not sent', async (t) => {
  const { bury, redrive } = await build(t)
  const occurred = (id: string, second: number) =>
    eventOf(id, { group: id.slice(0, 1), occurredAt: `2026-06-01T12:00:0${second}.000Z` })
  await bury(occurred('a1', 1))
  await bury(occurred('a2', 2))
  await bury(occurred('b1', 1))
  const sent: (string | undefined)[] = []
  const failed = Promise.withResolvers<void>()
  const failing = {
    store: async (events: readonly AssetEvent[]) => {
      sent.push(events[0]?.id)
      if (events[0]?.id !== 'b1') return failed.promise
      queueMicrotask(failed.resolve)
      throw new Error('the queue is gone')
    }
  }
  t.equal(await redrive({}, { sender: failing }), 1)
  t.strictSame(sent.sort(), ['a1', 'b1'])
})

t.test('a letter that is moved and cannot be deleted is told', async (t) => {
  const { bury, letters, queued, lines, redrive, buried } = await build(t)
  await bury(eventOf('one'))
  const opened = letters()
  const sticky = {
    receive: () => opened.receive(),
    delete: async () => false,
    handBack: () => opened.handBack()
  }
  t.equal(await redrive({}, { letters: sticky }), 1)
  t.equal(queued().length, 1)
  t.strictSame(buried(), { seen: 1, held: 0 })
  t.ok(lines.some((line) => line.includes('moved but not deleted')))
})

t.test('letters that cannot be received', async (t) => {
  const { letters, queue, lines, redrive } = await build(t)
  const gone = letters({ queueUrl: `${queue.url}/000000000000/gone.fifo` })
  t.equal(await redrive({}, { letters: gone }), 1)
  t.match(lines[0], /^stopped: cannot receive dead letters: .*correct DEAD_LETTER_QUEUE_URL/)
})

t.test('an interruption moves no more, and hands back', async (t) => {
  const { bury, sender, queued, buried, lines, redrive } = await build(t)
  for (const second of [1, 2]) {
    await bury(eventOf(`e${second}`, { group: 'asset', occurredAt: `2026-06-01T12:00:0${second}.000Z` }))
  }
  const interruption = new AbortController()
  const interrupting = {
    store: async (events: readonly AssetEvent[], signal: AbortSignal) => {
      interruption.abort()
      await sender.store(events, signal)
    }
  }
  t.equal(await redrive({}, { sender: interrupting, signal: interruption.signal }), 1)
  t.equal(queued().length, 1, 'what was begun is ended')
  t.strictSame(buried(), { seen: 1, held: 0 })
  t.ok(lines.includes('stopped: interrupted'))
})

t.test('letters that SQS put aside are read on as their message group gives way', async (t) => {
  const { queued, redrive } = await build(t)
  const fake = await startSqsFake()
  t.teardown(() => fake.stop())
  // in one receive the fake gives out ten of a group, and no more while they are held
  const events = Array.from({ length: 12 }, (_, index) => eventOf(`e${index}`, { group: 'asset' }))
  fake.put('asset', ...events.map(encodeMessage))
  const letters = new Letters({ sqs: fake.client, queueUrl: fake.queueUrl, log: QUIET, waitTimeSeconds: 0 })
  t.equal(await redrive({}, { letters }), 0)
  t.equal(queued().length, 12)
  t.strictSame(fake.messages(), [])
})
