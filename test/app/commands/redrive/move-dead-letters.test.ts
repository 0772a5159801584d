import t, { type Test } from 'tap'
import {
  moveDeadLetters,
  type RedriveArguments,
  type RedriveOptions
} from '../../../../app/commands/redrive/move-dead-letters.ts'
import { ListenerError } from '../../../../app/errors.ts'
import type { AssetEvent } from '../../../../app/ingest/event.ts'
import { DeadLetterReader } from '../../../../app/queue/dead-letter-reader.ts'
import { encodeMessage } from '../../../../app/queue/message-codec.ts'
import { buildQueues, collect, eventOf, QUIET, REASON } from '../../../support/operator.ts'
import { startSqsFake } from '../../../support/sqs-fake.ts'

const ALL: RedriveArguments = { ids: [], types: [], dryRun: false }
const ORIGIN = { by: 'anna', at: '2026-06-02T12:00:00.000Z', from: 'command' } as const
const RUN = { kind: 'redrive', id: 'c0ffee00', ...ORIGIN } as const

async function build(t: Test) {
  const queues = await buildQueues(t)
  const { lines, print } = collect()
  return {
    ...queues,
    lines,
    redrive: (selection: Partial<RedriveArguments> = {}, options: Partial<RedriveOptions> = {}) =>
      moveDeadLetters(
        { ...ALL, ...selection },
        {
          reader: queues.createReader(),
          sender: queues.sender,
          print,
          runId: RUN.id,
          origin: ORIGIN,
          signal: new AbortController().signal,
          clock: Date.now,
          ...options
        }
      )
  }
}

t.test('moves every dead letter as part of one run, and deletes it', async (t) => {
  const { deadLetter, queued, deadLetterCounts, lines, redrive } = await build(t)
  const events = Array.from({ length: 25 }, (_, index) => eventOf(`e${index}`))
  for (const event of events) await deadLetter(event)
  t.equal(await redrive(), 0)
  t.strictSame(
    queued().sort((a, b) => a.id.localeCompare(b.id)),
    events.map((event) => ({ ...event, run: RUN })).sort((a, b) => a.id.localeCompare(b.id))
  )
  t.strictSame(deadLetterCounts(), { visible: 0, inFlight: 0 })
  t.equal(lines.filter((line) => line.startsWith('moved')).length, 25)
  t.match(lines.at(-2), /^Moved 25 events \(25 dead letters\) as run c0ffee00\. Left: none\.$/)
})

t.test('sends an event with several dead letters once', async (t) => {
  const { deadLetter, queued, deadLetterCounts, redrive, lines } = await build(t)
  await deadLetter(eventOf('one'))
  await deadLetter(eventOf('one'), { ...REASON, processor: 'stamper' })
  t.equal(await redrive({}, { roundSize: 1 }), 0)
  t.strictSame(queued(), [eventOf('one', { run: RUN })])
  t.strictSame(deadLetterCounts(), { visible: 0, inFlight: 0 })
  t.match(lines.at(-2), /^Moved 1 event \(2 dead letters\)/)
})

t.test('keeps the replay that a dead letter belongs to', async (t) => {
  const { deadLetter, queued, redrive } = await build(t)
  await deadLetter(eventOf('e1', { run: { kind: 'replay', id: 'p1' } }))
  await deadLetter(eventOf('e2', { run: { kind: 'redrive', id: 'r1', replay: 'p2' } }))
  await deadLetter(eventOf('e3', { run: { kind: 'redrive', id: 'r1' } }))
  t.equal(await redrive(), 0)
  t.strictSame(
    queued()
      .sort((a, b) => a.id.localeCompare(b.id))
      .map(({ run }) => run),
    [{ ...RUN, replay: 'p1' }, { ...RUN, replay: 'p2' }, RUN]
  )
})

t.test('continues the latest replay of an event with several dead letters', async (t) => {
  const { deadLetter, queued, deadLetterCounts, redrive } = await build(t)
  await deadLetter(eventOf('one'))
  for (const id of ['p1', 'p2']) {
    await deadLetter(eventOf('one', { run: { kind: 'replay', id } }), { ...REASON, processor: `of-${id}` })
  }
  t.equal(await redrive(), 0)
  t.strictSame(queued(), [eventOf('one', { run: { ...RUN, replay: 'p2' } })])
  t.strictSame(deadLetterCounts(), { visible: 0, inFlight: 0 })
})

t.test('sends the events of an asset in the order in which they occurred', async (t) => {
  const { deadLetter, queued, redrive } = await build(t)
  const at = (second: number) =>
    eventOf(`e${second}`, { group: 'one-asset', occurredAt: `2026-06-01T12:00:0${second}.000Z` })
  for (const second of [3, 1, 2]) await deadLetter(at(second))
  t.equal(await redrive(), 0)
  t.strictSame(
    queued().map(({ id }) => id),
    ['e1', 'e2', 'e3']
  )
})

t.test('releases dead letters that are not selected', async (t) => {
  const { deadLetter, queued, deadLetterCounts, lines, redrive } = await build(t)
  await deadLetter(eventOf('one'))
  await deadLetter(eventOf('two', { type: 'rename' }))
  await deadLetter(eventOf('three', { type: 'rename' }))
  t.equal(await redrive({ types: ['rename'], ids: ['three', 'one'] }), 0)
  t.strictSame(
    queued().map(({ id }) => id),
    ['three']
  )
  t.strictSame(deadLetterCounts(), { visible: 2, inFlight: 0 })
  t.equal(lines.filter((line) => line.startsWith('kept')).length, 2)
})

t.test('fails if a selected event has no dead letter', async (t) => {
  const { deadLetter, redrive, lines } = await build(t)
  await deadLetter(eventOf('one'))
  t.equal(await redrive({ ids: ['one', 'nonsense'] }), 1)
  t.ok(lines.some((line) => /^not found +nonsense/.test(line)))
})

t.test('moves nothing in a dry run', async (t) => {
  const { deadLetter, queued, deadLetterCounts, lines, redrive } = await build(t)
  for (const id of ['one', 'two', 'three']) await deadLetter(eventOf(id))
  t.equal(await redrive({ dryRun: true }, { roundSize: 2 }), 0)
  t.strictSame(queued(), [])
  t.strictSame(deadLetterCounts(), { visible: 3, inFlight: 0 })
  t.equal(lines.filter((line) => line.startsWith('would move')).length, 3)
})

t.test('prints progress after each full round', async (t) => {
  const { deadLetter, lines, redrive } = await build(t)
  for (let index = 0; index < 12; index++) await deadLetter(eventOf(`e${index}`))
  t.equal(await redrive({}, { roundSize: 10 }), 0)
  t.strictSame(
    lines.filter((line) => line.startsWith('…')),
    ['… 10 dead letters read, 10 moved']
  )
})

t.test('ends a round early if the dead letters are large', async (t) => {
  const { deadLetter, createReader, lines, redrive } = await build(t)
  for (let index = 0; index < 11; index++) await deadLetter(eventOf(`e${index}`))
  const reader = createReader()
  const large = {
    receive: async () => (await reader.receive()).map((each) => ({ ...each, bytes: 2 * 1024 * 1024 })),
    delete: reader.delete.bind(reader),
    release: () => reader.release()
  }
  t.equal(await redrive({ dryRun: true }, { reader: large }), 0)
  t.match(lines[10], '… 10 dead letters read')
})

t.test('leaves unreadable messages, and fails only if they were selected', async (t) => {
  const { deadLetter, deadLetters, deadLetterCounts, lines, redrive } = await build(t)
  await deadLetters.put('id', 'rubbish', { code: 'MESSAGE_UNREADABLE', message: 'not ours' })
  await deadLetter(eventOf('one'))
  t.equal(await redrive({ types: ['upload'] }), 0, 'not selected')
  t.equal(await redrive(), 1)
  t.strictSame(deadLetterCounts(), { visible: 1, inFlight: 0 })
  t.ok(lines.some((line) => /^unreadable +message .*MESSAGE_UNREADABLE: not ours/.test(line)))
})

t.test('does not move an event again that failed again', async (t) => {
  const { deadLetter, deadLetters, sender, deadLetterCounts, lines, redrive } = await build(t)
  await deadLetter(eventOf('one'))
  const failingAgain = {
    store: async (events: readonly AssetEvent[], signal: AbortSignal) => {
      await sender.store(events, signal)
      await deadLetters.put(`again.${RUN.id}`, encodeMessage(events[0]!), REASON)
    }
  }
  t.equal(await redrive({}, { sender: failingAgain, roundSize: 1 }), 0)
  t.strictSame(deadLetterCounts(), { visible: 1, inFlight: 0 })
  t.ok(lines.some((line) => line.startsWith('failed again')))
})

t.test('ends even if dead letters keep coming in', async (t) => {
  const { deadLetter, createReader, redrive, lines, deadLetterCounts } = await build(t)
  await deadLetter(eventOf('one'))
  const reader = createReader()
  let number = 0
  const endless = {
    receive: async () => {
      const received = await reader.receive()
      await deadLetter(eventOf(`later-${number++}`))
      return received
    },
    delete: reader.delete.bind(reader),
    release: () => reader.release()
  }
  const ended = redrive({}, { reader: endless, clock: () => Date.now() - 120_000 })
  t.equal(await ended, 0)
  t.ok(lines.some((line) => line.includes('added during this run')))
  t.strictSame(deadLetterCounts(), { visible: number + 1, inFlight: 0 })
})

t.test('keeps a dead letter that the queue refused, and the later ones of its asset', async (t) => {
  const { deadLetter, sender, queued, deadLetterCounts, lines, redrive } = await build(t)
  const occurred = (id: string, second: number) =>
    eventOf(id, { group: 'asset', occurredAt: `2026-06-01T12:00:0${second}.000Z` })
  await deadLetter(occurred('first', 1))
  await deadLetter(occurred('second', 2))
  await deadLetter(eventOf('other'))
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
  t.strictSame(deadLetterCounts(), { visible: 2, inFlight: 0 })
  t.ok(lines.some((line) => /^not moved +first .*\(it is too large\)$/.test(line)))
  t.ok(lines.some((line) => /^not moved +second .*\(an earlier event/.test(line)))
})

t.test('stops if the queue fails', async (t) => {
  const { deadLetter, deadLetterCounts, lines, redrive } = await build(t)
  for (let index = 0; index < 30; index++) await deadLetter(eventOf(`e${index}`))
  let calls = 0
  const failing = {
    store: (_events: readonly AssetEvent[], signal: AbortSignal) => {
      const cause = Object.assign(new Error(), { name: 'AccessDenied' })
      const failed = new ListenerError('QUEUE_UNAVAILABLE', 'SQS has not stored 1 of 1 events', { cause })
      if (calls++ === 0) return Promise.reject(failed)
      // sends in flight are dropped
      return new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    }
  }
  t.equal(await redrive({}, { sender: failing, roundSize: 20 }), 1)
  t.equal(calls, 20, 'no second round')
  t.strictSame(deadLetterCounts(), { visible: 30, inFlight: 0 })
  t.ok(lines.some((line) => /^stopped: cannot send to the queue: access denied .*sqs:SendMessage/.test(line)))
})

t.test('sends nothing more after the queue has failed', async (t) => {
  const { deadLetter, redrive } = await build(t)
  const occurred = (id: string, second: number) =>
    eventOf(id, { group: id.slice(0, 1), occurredAt: `2026-06-01T12:00:0${second}.000Z` })
  await deadLetter(occurred('a1', 1))
  await deadLetter(occurred('a2', 2))
  await deadLetter(occurred('b1', 1))
  const sent: (string | undefined)[] = []
  const failed = Promise.withResolvers<void>()
  const failing = {
    store: async (events: readonly AssetEvent[]) => {
      sent.push(events[0]?.id)
      if (events[0]?.id !== 'b1') return failed.promise
      queueMicrotask(failed.resolve)
      throw new Error('SQS is gone')
    }
  }
  t.equal(await redrive({}, { sender: failing }), 1)
  t.strictSame(sent.sort(), ['a1', 'b1'])
})

t.test('fails if a moved dead letter cannot be deleted', async (t) => {
  const { deadLetter, createReader, queued, lines, redrive, deadLetterCounts } = await build(t)
  await deadLetter(eventOf('one'))
  const reader = createReader()
  const sticky = {
    receive: () => reader.receive(),
    delete: async () => false,
    release: () => reader.release()
  }
  t.equal(await redrive({}, { reader: sticky }), 1)
  t.equal(queued().length, 1)
  t.strictSame(deadLetterCounts(), { visible: 1, inFlight: 0 })
  t.ok(lines.some((line) => line.startsWith('not deleted ')))
  t.ok(lines.some((line) => line.includes('moved but not deleted')))
})

t.test('stops if it cannot receive dead letters', async (t) => {
  const { createReader, queue, lines, redrive } = await build(t)
  const gone = createReader({ queueUrl: `${queue.url}/000000000000/gone.fifo` })
  t.equal(await redrive({}, { reader: gone }), 1)
  t.match(lines[0], /^stopped: cannot receive dead letters: .*correct DEAD_LETTER_QUEUE_URL/)
})

t.test('stops and releases the rest when interrupted', async (t) => {
  const { deadLetter, sender, queued, deadLetterCounts, lines, redrive } = await build(t)
  for (const second of [1, 2]) {
    await deadLetter(
      eventOf(`e${second}`, { group: 'asset', occurredAt: `2026-06-01T12:00:0${second}.000Z` })
    )
  }
  const interruption = new AbortController()
  const interrupting = {
    store: async (events: readonly AssetEvent[], signal: AbortSignal) => {
      interruption.abort()
      await sender.store(events, signal)
    }
  }
  t.equal(await redrive({}, { sender: interrupting, signal: interruption.signal }), 1)
  t.equal(queued().length, 1, 'finishes the send in flight')
  t.strictSame(deadLetterCounts(), { visible: 1, inFlight: 0 })
  t.ok(lines.includes('stopped: interrupted'))
})

t.test('continues with a message group after its first ten dead letters were moved', async (t) => {
  const { queued, redrive } = await build(t)
  const fake = await startSqsFake()
  t.teardown(() => fake.stop())
  // the fake returns ten messages of a group, and no more while they are in flight
  const events = Array.from({ length: 12 }, (_, index) => eventOf(`e${index}`, { group: 'asset' }))
  fake.put('asset', ...events.map(encodeMessage))
  const reader = new DeadLetterReader({
    sqs: fake.client,
    queueUrl: fake.queueUrl,
    log: QUIET,
    waitTimeSeconds: 0
  })
  t.equal(await redrive({}, { reader }), 0)
  t.equal(queued().length, 12)
  t.strictSame(fake.messages(), [])
})
