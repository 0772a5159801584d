import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { pino } from 'pino'
import { type Test, test } from 'tap'
import { Leases } from '../../../app/queue/leases.ts'
import { SqsMessageSource } from '../../../app/queue/sqs-message-source.ts'
import { cut, failEntries, hold, refuse, startSqsFake } from '../../support/sqs-fake.ts'

const VISIBILITY_SECONDS = 60

/** Leases whose heartbeat and clock the test controls. */
async function build(t: Test) {
  const fake = await startSqsFake()
  t.teardown(() => fake.stop())
  const time = { now: 1_000_000 }
  const heart = { interval: 0, stopped: false, beat: () => {} }
  const lines: Record<string, unknown>[] = []
  const leases = new Leases({
    source: new SqsMessageSource({ sqs: fake.client, queueUrl: fake.queueUrl }),
    log: pino(
      {},
      {
        write(line) {
          lines.push(JSON.parse(line))
          fake.changed()
        }
      }
    ),
    visibilityTimeoutSeconds: VISIBILITY_SECONDS,
    clock: () => time.now,
    every(milliseconds, beat) {
      Object.assign(heart, { interval: milliseconds, beat })
      return () => {
        heart.stopped = true
      }
    }
  })

  /** Receives a message for each body, each in its own group, and starts their leases. */
  async function hold(...bodies: string[]) {
    const requestedAt = time.now
    for (const body of bodies) fake.put(body, body)
    const { Messages = [] } = await fake.client.send(
      new ReceiveMessageCommand({
        QueueUrl: fake.queueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: VISIBILITY_SECONDS
      })
    )
    return Messages.map(({ ReceiptHandle = '' }) => {
      const abort = new AbortController()
      leases.begin(ReceiptHandle, requestedAt, abort)
      return { handle: ReceiptHandle, signal: abort.signal }
    })
  }

  /** Advances both clocks and triggers the heartbeat. */
  function passAndBeat(seconds: number) {
    fake.advance(seconds)
    time.now += seconds * 1000
    heart.beat()
  }

  const hiddenFor = () => fake.messages().map((message) => message.hiddenFor)
  const warnings = (count: number) => fake.until(() => lines.length >= count)
  return { fake, leases, time, heart, lines, hold, passAndBeat, hiddenFor, warnings }
}

type Held = { handle: string; signal: AbortSignal }

/** Resolves to the reason when the signal aborts. */
const lost = ({ signal }: Held) =>
  new Promise<{ code: string }>((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason))
  })

test('a heartbeat extends all leases in batches of ten, three times per visibility timeout', async (t) => {
  const { fake, leases, heart, hold, passAndBeat, hiddenFor } = await build(t)
  await hold(...'abcdefghij')
  await hold('k', 'l')
  t.equal(heart.interval, 20_000)
  passAndBeat(20)
  await fake.until(() => hiddenFor().every((seconds) => seconds === VISIBILITY_SECONDS))
  const beats = fake.inputs('ChangeMessageVisibilityBatch').map(({ Entries = [] }) => Entries)
  t.strictSame(
    beats.map(({ length }) => length),
    [10, 2]
  )
  t.ok(beats.flat().every(({ VisibilityTimeout }) => VisibilityTimeout === VISIBILITY_SECONDS))
  await leases.close()
})

test('holds a message for as long as heartbeats succeed', async (t) => {
  const { leases, hold, passAndBeat, hiddenFor, fake } = await build(t)
  const [a] = (await hold('a')) as [Held]
  for (let beats = 0; beats < 10; beats++) {
    passAndBeat(20)
    await fake.until(() => hiddenFor()[0] === VISIBILITY_SECONDS)
    await leases.close() // waits for the response
  }
  t.notOk(a.signal.aborted)
  t.equal(fake.messages()[0]?.receives, 1)
})

test('end deletes the message, or makes it visible after a number of seconds', async (t) => {
  const { fake, leases, hold, passAndBeat, hiddenFor } = await build(t)
  const [a, b, c] = (await hold('a', 'b', 'c')) as [Held, Held, Held]
  const ends = [leases.end(a.handle, 'delete'), leases.end(b.handle, 0), leases.end(c.handle, 30)]
  t.strictSame(await Promise.all(ends), [true, true, true])
  t.match(fake.messages(), [{ body: 'b' }, { body: 'c' }])
  t.strictSame(hiddenFor(), [0, 30])
  t.equal(fake.inputs('ChangeMessageVisibilityBatch').length, 1, 'in one call')

  passAndBeat(20)
  await leases.close()
  t.strictSame(hiddenFor(), [0, 10], 'no heartbeat extends it any more')
  t.strictSame(await Promise.all([leases.end(a.handle, 'delete'), leases.end(b.handle, 5)]), [false, false])
  t.strictSame(hiddenFor(), [0, 10], 'a lease ends once')
})

test('end rejects if SQS rejects the entry, and not for other entries of the batch', async (t) => {
  const { fake, leases, hold } = await build(t)
  const [a, b, c, d] = (await hold('a', 'b', 'c', 'd')) as [Held, Held, Held, Held]
  fake.next(
    'DeleteMessageBatch',
    failEntries(({ ReceiptHandle }) => ReceiptHandle === a.handle, 'ReceiptHandleIsInvalid')
  )
  const failed = t.rejects(leases.end(a.handle, 'delete'), { code: 'ReceiptHandleIsInvalid' })
  t.equal(await leases.end(b.handle, 'delete'), true)
  await failed
  fake.next('DeleteMessageBatch', cut)
  await t.rejects(leases.end(c.handle, 'delete'), 'the connection broke off')
  fake.next('ChangeMessageVisibilityBatch', refuse(500))
  await t.rejects(leases.end(d.handle, 0))
  t.match(fake.messages(), [{ body: 'a' }, { body: 'c' }, { body: 'd' }])
})

test('end waits for a heartbeat in flight', async (t) => {
  const { fake, leases, hold: receive, passAndBeat, hiddenFor } = await build(t)
  const [a, b] = (await receive('a', 'b')) as [Held, Held]
  const beat = hold()
  fake.next('ChangeMessageVisibilityBatch', beat.behaviour)
  passAndBeat(20)
  await beat.arrived
  const ends = Promise.all([leases.end(a.handle, 30), leases.end(b.handle, 'delete')])
  passAndBeat(1)
  const later = (await receive('c')) as [Held]
  await leases.end(later[0].handle, 0)
  t.strictSame(hiddenFor(), [39, 39, 0], 'both wait for the heartbeat; others do not')
  beat.release()
  t.strictSame(await ends, [true, true])
  t.strictSame(
    fake.messages().map(({ body, hiddenFor }) => [body, hiddenFor]),
    [
      ['a', 30],
      ['c', 0]
    ]
  )
})

test('does not send a second heartbeat while one is in flight', async (t) => {
  const { fake, leases, hold: receive, passAndBeat } = await build(t)
  await receive('a')
  const beat = hold()
  fake.next('ChangeMessageVisibilityBatch', beat.behaviour)
  passAndBeat(20)
  await beat.arrived
  passAndBeat(19)
  beat.release()
  await leases.close()
  t.equal(fake.inputs('ChangeMessageVisibilityBatch').length, 1)
})

test('loses a lease whose renewal is not answered before another worker can receive the message', async (t) => {
  const { fake, hold: receive, passAndBeat } = await build(t)
  const [a] = (await receive('a')) as [Held]
  const beat = hold()
  fake.next('ChangeMessageVisibilityBatch', beat.behaviour)
  passAndBeat(20)
  await beat.arrived
  t.notOk(a.signal.aborted)
  const reason = lost(a)
  passAndBeat(20)
  t.match(await reason, { code: 'LEASE_LOST' })
  beat.release()
})

test('keeps a lease after one failed heartbeat', async (t) => {
  const { fake, leases, lines, hold, passAndBeat, warnings } = await build(t)
  const [a] = (await hold('a')) as [Held]
  fake.next('ChangeMessageVisibilityBatch', refuse(500))
  passAndBeat(20)
  await warnings(1)
  passAndBeat(20)
  await leases.close()
  t.notOk(a.signal.aborted)
  t.match(lines, [{ level: 40, msg: 'lease renewal failed' }])
  t.equal(await leases.end(a.handle, 'delete'), true)
})

test('loses a lease that cannot be extended before another worker can receive the message', async (t) => {
  const { fake, leases, hold, passAndBeat, hiddenFor, warnings } = await build(t)
  const [a, b] = (await hold('a', 'b')) as [Held, Held]
  fake.always(
    'ChangeMessageVisibilityBatch',
    failEntries(({ ReceiptHandle }) => ReceiptHandle === a.handle)
  )
  passAndBeat(20)
  await warnings(1)
  t.notOk(a.signal.aborted)
  const loss = lost(a)
  passAndBeat(20)
  t.match(await loss, { code: 'LEASE_LOST' })
  t.strictSame(hiddenFor(), [20, 60], 'the other lease is extended')
  t.notOk(b.signal.aborted)

  fake.always('ChangeMessageVisibilityBatch')
  t.equal(await leases.end(a.handle, 'delete'), false)
  t.match(fake.messages(), [{ body: 'a' }, { body: 'b' }])
  t.equal(fake.inputs('DeleteMessageBatch').length, 0, 'the message is not deleted')
  passAndBeat(19)
  await leases.close()
  t.strictSame(hiddenFor(), [1, 60], 'nor extended')
})

test('loses a lease that expired while the process was paused', async (t) => {
  const { fake, hold, leases, passAndBeat } = await build(t)
  const [a] = (await hold('a')) as [Held]
  passAndBeat(60)
  t.match(a.signal.reason, { code: 'LEASE_LOST' })
  await leases.close()
  t.equal(fake.inputs('ChangeMessageVisibilityBatch').length, 0)
})

test('does not start a lease that expired before the response was read', async (t) => {
  const { leases, time, lines } = await build(t)
  const requestedAt = time.now
  time.now += VISIBILITY_SECONDS * 1000
  const abort = new AbortController()
  leases.begin('handle', requestedAt, abort)
  t.match(abort.signal.reason, { code: 'LEASE_LOST' })
  t.equal(await leases.end('handle', 'delete'), false)
  t.strictSame(lines, [])
  await leases.close()
})

test('does not lose a lease that ended before its heartbeat failed', async (t) => {
  const { fake, leases, hold: receive, passAndBeat, warnings } = await build(t)
  const [a] = (await receive('a')) as [Held]
  const beat = hold()
  fake.next('ChangeMessageVisibilityBatch', async (applyCall, input) => {
    await beat.behaviour(applyCall, input)
    return 'cut'
  })
  passAndBeat(50)
  await beat.arrived
  const end = leases.end(a.handle, 'delete')
  beat.release()
  await warnings(1)
  t.equal(await end, true)
  t.notOk(a.signal.aborted)
  t.strictSame(fake.messages(), [])
})

test('close stops the heartbeat and waits for the calls in flight', async (t) => {
  const { fake, leases, heart, hold: receive } = await build(t)
  const [a, b] = (await receive('a', 'b')) as [Held, Held]
  const removal = hold()
  const change = hold()
  fake.next('DeleteMessageBatch', removal.behaviour)
  fake.next('ChangeMessageVisibilityBatch', change.behaviour)
  const ends = [leases.end(a.handle, 'delete'), leases.end(b.handle, 0)]
  await Promise.all([removal.arrived, change.arrived])
  let closed = false
  const closing = leases.close().then(() => {
    closed = true
  })
  t.ok(heart.stopped)
  change.release()
  await ends[1]
  t.notOk(closed)
  removal.release()
  await closing
  t.match(fake.messages(), [{ body: 'b', hiddenFor: 0 }])
})

test('never hides a message for longer than SQS allows', async (t) => {
  const { leases, time, hold, hiddenFor } = await build(t)
  const [first] = await hold('a')
  await leases.end(first!.handle, 100_000)
  t.strictSame(hiddenFor(), [43_140])

  const [second] = await hold('b')
  // a handler that ran for an hour
  time.now += 3_600_000
  await leases.end(second!.handle, 86_400)
  t.equal(hiddenFor().at(-1), 43_140 - 3600)
})
