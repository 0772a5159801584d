import { mock } from 'node:test'
import { pino } from 'pino'
import { type Test, test } from 'tap'
import { serializeError } from '../../../app/logger.ts'
import { MessageReceiver, type MessageReceiverOptions } from '../../../app/queue/message-receiver.ts'
import type { MessageAction, ReceivedMessage } from '../../../app/queue/message-source.ts'
import { SqsMessageSource } from '../../../app/queue/sqs-message-source.ts'
import { cut, failEntries, hold, loseAnswer, refuse, startSqsFake } from '../../support/sqs-fake.ts'

const DONE: MessageAction = { kind: 'delete' }
const again = (delaySeconds: number): MessageAction => ({ kind: 'retry', delaySeconds })

/** More time than any handler of a test needs. */
const PLENTY_MS = 60_000

interface Job {
  message: ReceivedMessage
  signal: AbortSignal
  finish: (action: MessageAction) => void
  fail: (error: unknown) => void
}

/**
 * A receiver on a fake SQS. The test ends the handlers, triggers the heartbeat and moves the clocks. Receives
 * wait for as long as SQS allows, so a test that stops the receiver also ends their wait.
 */
async function build(t: Test, options: Partial<MessageReceiverOptions> = {}) {
  const fake = await startSqsFake()
  const time = { now: 1_000_000 }
  const heart = { beat: () => {} }
  const lines: Record<string, unknown>[] = []
  const jobs = new Map<string, Job>()
  const started: string[] = []

  const receiver = new MessageReceiver({
    source: new SqsMessageSource({ sqs: fake.client, queueUrl: fake.queueUrl }),
    log: pino(
      { serializers: { err: serializeError } },
      {
        write(line) {
          lines.push(JSON.parse(line))
          fake.changed()
        }
      }
    ),
    concurrency: 20,
    waitTimeSeconds: 20,
    random: () => 0.01,
    clock: () => time.now,
    every(_milliseconds, beat) {
      heart.beat = beat
      return () => {}
    },
    handle(message, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<MessageAction>()
      started.push(message.body)
      jobs.set(message.body, { message, signal, finish: resolve, fail: reject })
      fake.changed()
      return promise.finally(() => jobs.delete(message.body))
    },
    ...options
  })
  t.teardown(async () => {
    const stopped = receiver.stop(0)
    await fake.stop()
    await stopped
  })

  /** Resolves to the running handler of a message. */
  async function job(body: string): Promise<Job> {
    await fake.until(() => jobs.has(body))
    return jobs.get(body) as Job
  }

  /** Stops the receiver and ends the receives that wait. */
  function stop(graceMs = PLENTY_MS): Promise<void> {
    const stopped = receiver.stop(graceMs)
    fake.endPolls()
    return stopped
  }

  /** The visibility changes so far, in order. */
  const changes = () =>
    fake
      .inputs('ChangeMessageVisibilityBatch')
      .flatMap(({ Entries = [] }) =>
        Entries.map(({ ReceiptHandle, VisibilityTimeout }) => [fake.bodyOf(ReceiptHandle), VisibilityTimeout])
      )
  const left = () => fake.messages().map(({ body }) => body)
  const logged = (msg: string) => lines.filter((line) => line.msg === msg)
  return { fake, receiver, time, heart, lines, logged, jobs, job, started, stop, changes, left }
}

/** Lets pending timers and I/O run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('passes a message to its handler with its group and receive count', async (t) => {
  const { fake, receiver, job } = await build(t)
  fake.put('asset-1', 'a1')
  receiver.start()
  receiver.start()
  const first = await job('a1')
  t.match(first.message, { id: /^[\w-]{36}$/, body: 'a1', group: 'asset-1', receiveCount: 1 })
  first.finish(again(0))
  await fake.until(() => fake.messages()[0]?.receives === 2)
  t.equal((await job('a1')).message.receiveCount, 2)
})

test('deletes a message after its handler has succeeded', async (t) => {
  const { fake, receiver, job, left } = await build(t)
  fake.put('a', 'a1')
  receiver.start()
  const { finish } = await job('a1')
  await settle()
  t.equal(fake.inputs('DeleteMessageBatch').length, 0)
  finish(DONE)
  await fake.until(() => left().length === 0)
})

test('handles at most `concurrency` groups in parallel', async (t) => {
  const { fake, receiver, jobs, job, started } = await build(t, { concurrency: 12 })
  for (let index = 0; index < 30; index++) fake.put(`group-${index}`, `m${index}`)
  const asked = () => fake.inputs('ReceiveMessage').map(({ MaxNumberOfMessages }) => MaxNumberOfMessages)
  receiver.start()
  await fake.until(() => jobs.size === 12)
  await settle()
  t.strictSame(asked(), [10, 2])
  t.equal(receiver.groupsInProgress, 12)
  const { finish } = await job('m5')
  finish(DONE)
  await job('m12')
  t.strictSame(asked(), [10, 2, 1])
  t.equal(jobs.size, 12)
  for (let index = 0; index < 30; index++) {
    const { finish } = await (index === 5 ? { finish: () => {} } : job(`m${index}`))
    t.ok(jobs.size <= 12)
    finish(DONE)
  }
  await fake.until(() => fake.messages().length === 0)
  await fake.until(() => receiver.groupsInProgress === 0)
  t.equal(started.length, 30)
})

test('a busy receiver waits until a tenth of its lanes is free, but not for long', async (t) => {
  const { fake, receiver, job } = await build(t, { concurrency: 20, waitTimeSeconds: 1 })
  for (let group = 0; group < 19; group++) fake.put(`g${group}`, `m${group}`)
  receiver.start()
  const first = await job('m0')
  const second = await job('m1')
  await job('m18')
  fake.put('late', 'late', 'later')
  await fake.until(() => fake.messages().filter(({ receives }) => receives > 0).length === 19)
  const before = fake.inputs('ReceiveMessage').length
  first.finish(DONE)
  await job('late')
  t.ok(fake.inputs('ReceiveMessage').length > before, 'two of 20 are free')
  fake.put('last', 'last')
  // one is free, and no lane ends
  const free = fake.inputs('ReceiveMessage').length
  await job('last')
  t.equal(fake.inputs('ReceiveMessage').at(free)?.MaxNumberOfMessages, 1)
  second.finish(DONE)
})

test('does not count waiting messages of a group towards the concurrency', { timeout: 20_000 }, async (t) => {
  const { fake, receiver, jobs } = await build(t, { concurrency: 50 })
  const hot = Array.from({ length: 5 }, (_, index) => `hot-${index}`)
  for (const group of hot) fake.put(group, ...Array.from({ length: 10 }, (_, index) => `${group}-${index}`))
  const others = Array.from({ length: 60 }, (_, index) => `other-${index}`)
  for (const group of others) fake.put(group, group)
  receiver.start()
  await fake.until(() => jobs.size === 50)
  t.strictSame([...jobs.keys()], [...hot.map((group) => `${group}-0`), ...others.slice(0, 45)])
  t.equal(fake.messages().filter(({ hiddenFor }) => hiddenFor > 0).length, 95)
})

test('returns messages beyond the waiting limit to the queue, in order', async (t) => {
  const { fake, receiver, job, started, changes } = await build(t, { maximumWaitingBytes: 10 })
  const bodies = ['é123', 'é234', 'é345', '4', '5']
  fake.put('a', ...bodies)
  receiver.start()
  await fake.until(() => changes().length === 2)
  t.strictSame(changes(), [
    ['4', 0],
    ['5', 0]
  ])
  for (const body of bodies) (await job(body)).finish(DONE)
  await fake.until(() => fake.messages().length === 0)
  t.strictSame(started, bodies)
})

test('handles the messages of a group in order, even ten of one receive', async (t) => {
  const { fake, receiver, jobs, job, started } = await build(t)
  const bodies = [...'abcdefghij']
  fake.put('asset-1', ...bodies)
  receiver.start()
  for (const body of bodies) {
    const { finish } = await job(body)
    t.strictSame([...jobs.keys()], [body], 'nothing else runs')
    finish(DONE)
  }
  await fake.until(() => fake.messages().length === 0)
  t.strictSame(started, bodies)
  t.equal(fake.inputs('DeleteMessageBatch').length, 10)
})

test('handles groups in parallel', async (t) => {
  const { fake, receiver, jobs, job, left } = await build(t)
  fake.put('a', 'a1', 'a2')
  fake.put('b', 'b1', 'b2')
  receiver.start()
  await job('a1')
  for (const body of ['b1', 'b2']) (await job(body)).finish(DONE)
  await fake.until(() => left().length === 2)
  t.strictSame([...jobs.keys()], ['a1'])
})

test('starts the next message of a group when the delete of the previous one is confirmed', async (t) => {
  const { fake, receiver, job, started } = await build(t)
  const removal = hold('answer')
  fake.next('DeleteMessageBatch', removal.behaviour)
  fake.put('a', 'a1', 'a2')
  receiver.start()
  ;(await job('a1')).finish(DONE)
  await removal.arrived
  await settle()
  t.strictSame(started, ['a1'])
  removal.release()
  await job('a2')
})

test('queues a message that arrives while its group is being handled', async (t) => {
  const { fake, receiver, job, jobs } = await build(t)
  const removal = hold('answer')
  fake.next('DeleteMessageBatch', removal.behaviour)
  fake.put('a', 'a1')
  receiver.start()
  ;(await job('a1')).finish(DONE)
  await removal.arrived
  fake.put('a', 'a2')
  fake.put('b', 'b1')
  await job('b1')
  t.strictSame([...jobs.keys()], ['b1'])
  removal.release()
  await job('a2')
})

const FAILED_DELETES = {
  'is rejected for this message': failEntries(() => true),
  'is rejected': refuse(500),
  'gets no response': cut,
  'is done but not confirmed': loseAnswer
}
for (const [how, behaviour] of Object.entries(FAILED_DELETES)) {
  test(`releases the later messages of a group when a delete ${how}`, async (t) => {
    const { fake, receiver, job, started, changes, logged } = await build(t)
    fake.next('DeleteMessageBatch', behaviour)
    fake.put('a', 'a1', 'a2', 'a3')
    // if the delete succeeded after all, the released messages would be redelivered at once
    fake.next('ReceiveMessage', (applyCall) => applyCall())
    fake.always('ReceiveMessage', hold().behaviour)
    receiver.start()
    ;(await job('a1')).finish(DONE)
    await fake.until(() => changes().length === 2)
    t.strictSame(changes(), [
      ['a2', 0],
      ['a3', 0]
    ])
    t.strictSame(started, ['a1'])
    t.match(logged('message settlement failed'), [{ level: 40, messageId: String, action: 'delete' }])
  })
}

test('delays a failed message before it releases the later ones of its group', async (t) => {
  const { fake, receiver, job, started, changes, left } = await build(t)
  const change = hold()
  fake.next('ChangeMessageVisibilityBatch', change.behaviour)
  fake.put('a', 'a1', 'a2', 'a3')
  fake.put('b', 'b1')
  receiver.start()
  ;(await job('a1')).finish(again(30))
  const { Entries = [] } = await change.arrived
  t.strictSame(
    Entries.map(({ VisibilityTimeout }) => VisibilityTimeout),
    [30]
  )
  await settle()
  t.equal(changes().length, 1, 'the others are held until SQS has confirmed the delay')
  change.release()
  await fake.until(() => changes().length === 3)
  t.strictSame(changes(), [
    ['a1', 30],
    ['a2', 0],
    ['a3', 0]
  ])
  t.strictSame(started, ['a1', 'b1'])
  t.equal(fake.inputs('ChangeMessageVisibilityBatch').length, 2, 'in one call')

  await settle()
  t.strictSame(
    fake.messages().map(({ body, receives, hiddenFor }) => [body, receives, hiddenFor]),
    [
      ['a1', 1, 30],
      ['a2', 1, 0],
      ['a3', 1, 0],
      ['b1', 1, 60]
    ],
    'no message of the group is delivered during the delay'
  )
  fake.advance(30)
  for (const body of ['a1', 'a2', 'a3']) (await job(body)).finish(DONE)
  await fake.until(() => left().length === 1)
  t.strictSame(started, ['a1', 'b1', 'a1', 'a2', 'a3'], 'then they are delivered in order')
})

test('releases the later messages of a group even if the delay of a failed one is rejected', async (t) => {
  const { fake, receiver, job, started, changes, logged } = await build(t)
  fake.next('ChangeMessageVisibilityBatch', refuse(500))
  fake.put('a', 'a1', 'a2')
  receiver.start()
  ;(await job('a1')).finish(again(30))
  await fake.until(() => changes().length === 2)
  t.strictSame(changes(), [
    ['a1', 30],
    ['a2', 0]
  ])
  t.strictSame(started, ['a1'])
  t.match(logged('message settlement failed'), [{ level: 40, action: 'retry' }])
  t.match(
    fake.messages(),
    [{ body: 'a1', hiddenFor: 60 }, {}],
    'it is redelivered when its visibility timeout ends'
  )
})

test('redelivers a message whose handler throws after a visibility timeout', async (t) => {
  const { fake, receiver, job, started, changes, logged } = await build(t, { visibilityTimeoutSeconds: 45 })
  fake.put('a', 'a1', 'a2')
  receiver.start()
  ;(await job('a1')).fail(new Error('a bug'))
  await fake.until(() => changes().length === 2)
  t.strictSame(changes(), [
    ['a1', 45],
    ['a2', 0]
  ])
  t.strictSame(started, ['a1'])
  t.match(logged('message handler threw'), [{ level: 50, err: { message: 'a bug' } }])
})

test('extends the visibility of running and waiting messages', async (t) => {
  const { fake, receiver, heart, job, jobs } = await build(t, { concurrency: 12 })
  fake.put('a', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6')
  fake.put('b', 'b1', 'b2', 'b3', 'b4')
  fake.put('c', 'c1', 'c2')
  receiver.start()
  await job('c1')
  fake.advance(50)
  heart.beat()
  await fake.until(() => fake.messages().every(({ hiddenFor }) => hiddenFor === 60))
  t.strictSame(
    fake.inputs('ChangeMessageVisibilityBatch').map(({ Entries = [] }) => Entries.length),
    [10, 2]
  )
  t.strictSame([...jobs.keys()], ['a1', 'b1', 'c1'])
})

test('sends three heartbeats per visibility timeout by default', async (t) => {
  const fake = await startSqsFake()
  const receiver = new MessageReceiver({
    source: new SqsMessageSource({ sqs: fake.client, queueUrl: fake.queueUrl }),
    log: pino({ enabled: false }),
    concurrency: 1,
    visibilityTimeoutSeconds: 2,
    handle: async () => {
      await fake.until(() => fake.inputs('ChangeMessageVisibilityBatch').length === 1)
      return DONE
    }
  })
  fake.put('a', 'a1')
  const since = performance.now()
  receiver.start()
  await fake.until(() => fake.messages().length === 0)
  t.ok(performance.now() - since > 600)
  fake.endPolls()
  await receiver.stop(PLENTY_MS)
  await fake.stop()
})

const ENDS: Record<string, (job: Job) => void> = {
  'still succeeds': ({ finish }) => finish(DONE),
  'asks for a retry': ({ finish }) => finish(again(30)),
  'throws the abort reason': ({ fail, signal }) => fail(signal.reason)
}
for (const [how, end] of Object.entries(ENDS)) {
  test(`does not settle a lost message, and releases the rest of its group, when its handler ${how}`, async (t) => {
    const { fake, receiver, heart, time, job, started, changes, lines } = await build(t)
    fake.put('a', 'a1', 'a2', 'a3')
    receiver.start()
    const running = await job('a1')
    fake.always(
      'ChangeMessageVisibilityBatch',
      failEntries(({ ReceiptHandle }) => fake.bodyOf(ReceiptHandle) === 'a1')
    )
    for (let beats = 0; beats < 2; beats++) {
      t.notOk(running.signal.aborted)
      fake.advance(20)
      time.now += 20_000
      heart.beat()
      await fake.until(() => lines.length > beats)
    }
    t.match(running.signal.reason, { code: 'LEASE_LOST' })
    await settle()
    const before = changes().length
    end(running)
    await fake.until(() => changes().length === before + 2)
    t.strictSame(changes().slice(before), [
      ['a2', 0],
      ['a3', 0]
    ])
    t.strictSame(started, ['a1'])
    t.strictSame(fake.inputs('DeleteMessageBatch'), [])
    t.equal(fake.messages()[0]?.hiddenFor, 20, 'its visibility is unchanged')
    for (const line of lines) t.match(line, { msg: 'lease renewal failed', messageId: String })
  })
}

test('does not handle a message that was lost while it waited', async (t) => {
  const { fake, receiver, heart, time, job, started, lines, changes } = await build(t)
  fake.put('a', 'a1', 'a2', 'a3')
  receiver.start()
  const { finish } = await job('a1')
  fake.always(
    'ChangeMessageVisibilityBatch',
    failEntries(({ ReceiptHandle }) => fake.bodyOf(ReceiptHandle) === 'a2')
  )
  for (let beats = 0; beats < 2; beats++) {
    fake.advance(20)
    time.now += 20_000
    heart.beat()
    await fake.until(() => lines.length > beats)
  }
  await settle()
  const before = changes().length
  finish(DONE)
  await fake.until(() => changes().length > before)
  t.strictSame(changes().slice(before), [['a3', 0]])
  t.strictSame(started, ['a1'])
})

test('does not handle a message whose lease expired before the response was read', async (t) => {
  const { fake, receiver, time, job, started, changes } = await build(t)
  const late = hold('answer')
  fake.next('ReceiveMessage', late.behaviour)
  fake.put('a', 'a1')
  receiver.start()
  await late.arrived
  fake.advance(60)
  time.now += 60_000
  t.strictSame(started, [])
  late.release()
  t.equal((await job('a1')).message.receiveCount, 2)
  t.strictSame(started, ['a1'])
  t.strictSame(changes(), [])
})

test('waits for a heartbeat in flight before it delays a failed message', async (t) => {
  const { fake, receiver, heart, job } = await build(t)
  const beat = hold()
  fake.next('ChangeMessageVisibilityBatch', beat.behaviour)
  fake.put('a', 'a1')
  receiver.start()
  const { finish } = await job('a1')
  heart.beat()
  await beat.arrived
  finish(again(5))
  await settle()
  beat.release()
  await fake.until(() => fake.messages()[0]?.hiddenFor === 5)
})

test('retries a failed receive with increasing pauses', async (t) => {
  const { fake, receiver, job, lines } = await build(t)
  fake.next('ReceiveMessage', refuse(500), cut, refuse(503), refuse(400, 'QueueDoesNotExist'))
  fake.put('a', 'a1')
  receiver.start()
  const { finish } = await job('a1')
  const pauses = () => lines.map(({ pauseMs }) => pauseMs)
  t.strictSame(pauses(), [5, 10, 20, 40])
  t.match(lines[0], {
    level: 50,
    code: 'QUEUE_UNAVAILABLE',
    err: { message: String }
  })
  fake.next('ReceiveMessage', refuse(500))
  finish(DONE)
  fake.put('b', 'b1')
  await job('b1')
  fake.put('c', 'c1')
  await job('c1')
  t.equal(pauses().at(-1), 5, 'a success resets the pause')
})

test('pauses at most 30 s between receives', async (t) => {
  const { fake, receiver, lines } = await build(t, { random: () => 0.0001 })
  fake.always('ReceiveMessage', refuse(500))
  receiver.start()
  await fake.until(() => lines.length === 12)
  t.equal(Math.max(...lines.map(({ pauseMs }) => Number(pauseMs))), 3)
})

test('gives up a receive that SQS never answers, so that it does not block a stop', async (t) => {
  const { fake, receiver, job, lines } = await build(t)
  const limits: AbortController[] = []
  const { timeout } = AbortSignal
  const mocked = mock.method(AbortSignal, 'timeout', (milliseconds: number) => {
    if (milliseconds !== 23_000) return timeout.call(AbortSignal, milliseconds)
    const limit = new AbortController()
    limits.push(limit)
    return limit.signal
  })
  t.teardown(() => mocked.mock.restore())
  const silent = [hold(), hold()] as const
  fake.next('ReceiveMessage', silent[0].behaviour, (applyCall) => applyCall(), silent[1].behaviour)
  fake.put('a', 'a1')
  receiver.start()
  await silent[0].arrived
  limits[0]?.abort()
  const { finish } = await job('a1')
  t.match(lines, [{ code: 'QUEUE_UNAVAILABLE', err: { type: 'AbortError' } }])
  await silent[1].arrived
  const stopped = receiver.stop(PLENTY_MS)
  finish(DONE)
  limits[2]?.abort()
  await stopped
  t.strictSame(fake.messages(), [])
})

test('fills in the fields that SQS omits from a message', async (t) => {
  const { fake, receiver, job } = await build(t)
  fake.next('ReceiveMessage', async () => ({
    status: 200,
    body: { Messages: [{ MD5OfBody: 'd41d8cd98f00b204e9800998ecf8427e' }] }
  }))
  receiver.start()
  t.strictSame((await job('')).message, { id: '', body: '', group: '', receiveCount: 1 })
})

test('stop lets handlers finish and releases waiting messages', async (t) => {
  const { fake, receiver, job, started, stop, changes, left } = await build(t)
  fake.put('a', 'a1', 'a2')
  fake.put('b', 'b1')
  receiver.start()
  const [a1, b1] = [await job('a1'), await job('b1')]
  const stopped = stop()
  fake.put('c', 'c1')
  a1.finish(DONE)
  await fake.until(() => changes().length === 1)
  t.notOk(b1.signal.aborted)
  b1.finish(again(7))
  await stopped
  t.strictSame(started, ['a1', 'b1'])
  t.strictSame(left(), ['a2', 'b1', 'c1'])
  t.match(
    fake.messages().map(({ body, hiddenFor }) => [body, hiddenFor]),
    [
      ['a2', 0],
      ['b1', 7],
      ['c1', 0]
    ]
  )
})

test('releases the messages of a receive in flight during a stop', async (t) => {
  const { fake, receiver, started } = await build(t)
  receiver.start()
  await fake.until(() => fake.calls.length === 1)
  const stopped = receiver.stop(PLENTY_MS)
  fake.put('a', 'a1', 'a2')
  await stopped
  t.match(fake.messages(), [
    { body: 'a1', hiddenFor: 0, receives: 1 },
    { body: 'a2', hiddenFor: 0, receives: 1 }
  ])
  t.strictSame(started, [])
})

test('releases a message that arrives during a stop while its group is being handled', async (t) => {
  const { fake, receiver, job, started } = await build(t)
  const removal = hold('answer')
  fake.next('DeleteMessageBatch', removal.behaviour)
  fake.put('a', 'a1')
  receiver.start()
  ;(await job('a1')).finish(DONE)
  await removal.arrived
  await fake.until(() => fake.inputs('ReceiveMessage').length === 2)
  const stopped = receiver.stop(PLENTY_MS)
  fake.put('a', 'a2')
  await fake.until(() => fake.messages()[0]?.receives === 1)
  removal.release()
  await stopped
  t.match(fake.messages(), [{ body: 'a2', hiddenFor: 0 }])
  t.strictSame(started, ['a1'])
})

for (const [how, end] of Object.entries(ENDS)) {
  test(`stop aborts handlers after the grace period; one that ${how} loses no message`, async (t) => {
    const { fake, receiver, job, stop, logged } = await build(t)
    fake.put('a', 'a1', 'a2')
    receiver.start()
    const running = await job('a1')
    running.signal.addEventListener('abort', () => end(running))
    await stop(20)
    t.match(running.signal.reason, { code: 'STOPPING' })
    const left = fake.messages().map(({ body, hiddenFor }) => [body, hiddenFor])
    t.strictSame(
      left,
      how === 'still succeeds'
        ? [['a2', 0]]
        : [
            ['a1', 0],
            ['a2', 0]
          ]
    )
    t.strictSame(logged('message handler threw'), [])
  })
}

test('releases messages whose handlers outlast a stop, and does not delete them later', async (t) => {
  const { fake, receiver, job, started, stop, logged } = await build(t)
  fake.put('a', 'a1', 'a2')
  receiver.start()
  const { finish } = await job('a1')
  await stop(10)
  const released = [
    { body: 'a1', hiddenFor: 0 },
    { body: 'a2', hiddenFor: 0 }
  ]
  t.match(fake.messages(), released)
  t.match(logged('shutdown timed out; messages released'), [{ level: 40, messages: 2 }])
  finish(DONE)
  await settle()
  t.match(fake.messages(), released)
  t.strictSame(fake.inputs('DeleteMessageBatch'), [])
  t.strictSame(started, ['a1'])
})

test('stop waits for deletes in flight', async (t) => {
  const { fake, receiver, job, stop, left } = await build(t)
  const removal = hold()
  fake.next('DeleteMessageBatch', removal.behaviour)
  fake.put('a', 'a1')
  receiver.start()
  ;(await job('a1')).finish(DONE)
  await removal.arrived
  let done = false
  const stopped = stop(0).then(() => {
    done = true
  })
  await settle()
  t.notOk(done)
  removal.release()
  await stopped
  t.strictSame(left(), [])
})

test('stop does not hang while SQS is unreachable', async (t) => {
  const { fake, receiver, job, stop, lines } = await build(t)
  fake.put('a', 'a1')
  receiver.start()
  const { finish } = await job('a1')
  for (const action of ['ReceiveMessage', 'DeleteMessageBatch', 'ChangeMessageVisibilityBatch'] as const) {
    fake.always(action, cut)
  }
  finish(DONE)
  await fake.until(() => lines.length > 0)
  fake.put('b', 'b1')
  await stop()
  t.strictSame(fake.messages().length, 2)
})

test('stop ends the pause after a failed receive', async (t) => {
  const { fake, receiver, lines } = await build(t, { random: () => 60 })
  fake.always('ReceiveMessage', refuse(500))
  receiver.start()
  await fake.until(() => lines.length === 1)
  const since = performance.now()
  await receiver.stop(PLENTY_MS)
  t.ok(performance.now() - since < PLENTY_MS / 4)
  t.equal(fake.calls.length, 1)
})

test('stop of an idle receiver takes no longer than the wait of a receive', async (t) => {
  const { fake, receiver } = await build(t, { waitTimeSeconds: 1 })
  receiver.start()
  await fake.until(() => fake.calls.length === 1)
  const since = performance.now()
  await receiver.stop(PLENTY_MS)
  t.ok(performance.now() - since < PLENTY_MS / 4)
  t.equal(fake.calls.length, 1)
})

test('stop receives no more messages when a lane becomes free', async (t) => {
  const { fake, receiver, job, left, started } = await build(t, { concurrency: 1 })
  fake.put('a', 'a1')
  fake.put('b', 'b1')
  receiver.start()
  const { finish } = await job('a1')
  const stopped = receiver.stop(PLENTY_MS)
  finish(DONE)
  await stopped
  t.strictSame(left(), ['b1'])
  t.strictSame(started, ['a1'])
  t.equal(fake.inputs('ReceiveMessage').length, 1)
})

test('a receiver that was never started stops at once', async (t) => {
  const { receiver, fake } = await build(t)
  await receiver.stop(PLENTY_MS)
  receiver.start()
  await settle()
  t.strictSame(fake.calls, [])
})
