import { randomBytes } from 'node:crypto'
import t from 'tap'
import { PermanentError, type Processor, RetryLaterError } from '../../../app/listener.ts'
import { FakeCloudinary } from '../../../app/testing/fake-cloudinary.ts'
import { TestListener, type TestListenerOptions } from '../../../app/testing/test-listener.ts'

const never = new PermanentError('never', { code: 'NEVER' })

const tag = (fields: Partial<Processor> = {}): Processor => ({
  name: 'tag',
  on: ['upload', 'delete'],
  handle: ({ asset }, { cloudinary }) => cloudinary.addTag(asset!, 'seen'),
  ...fields
})

const build = (processors: Processor[], options?: TestListenerOptions) =>
  new TestListener({ processors }, options)

t.test('handles each event of a notification', async (t) => {
  const listener = build([tag(), tag({ name: 'audit', handle: () => 'seen' })])
  const { events, calls, deadLetters, log } = await listener.send('delete', { count: 2, publicId: 'bag' })
  t.match(events, [
    {
      event: { type: 'delete', asset: { publicId: 'bag' }, environment: 'demo' },
      status: 'done',
      processors: { tag: { outcome: 'succeeded', attempts: 1 }, audit: { note: 'seen' } }
    },
    { event: { asset: { publicId: 'bag-2' } }, status: 'done' }
  ])
  t.strictSame(
    calls.map(({ args }) => args[1]),
    [['bag'], ['bag-2']]
  )
  t.strictSame(deadLetters, [])
  t.equal(log.filter(({ msg }) => msg === 'event processed').length, 4)
})

t.test('treats the same sample as a redelivery until the clock advances', async (t) => {
  const listener = build([tag()])
  const first = await listener.send('upload')
  const second = await listener.send('upload')
  t.equal(second.events[0]?.event.id, first.events[0]?.event.id)
  t.match(second, { events: [{ status: 'done' }], log: [{ msg: 'duplicate event skipped' }] })
  t.strictSame(second.calls, [])
  await listener.advance(1000)
  t.equal((await listener.send('upload')).calls.length, 1)
})

t.test('calls `deadLettered`', async (t) => {
  const told: unknown[] = []
  const listener = build([
    tag({
      handle() {
        throw never
      }
    }),
    { name: 'alert', on: [], handle() {}, deadLettered: (event, letter) => void told.push(event.id, letter) }
  ])
  const { events } = await listener.send('upload')
  t.strictSame(told, [events[0]?.event.id, { processor: 'tag', code: 'NEVER', message: 'never' }])
})

t.test('retries by the virtual clock', async (t) => {
  const cloudinary = new FakeCloudinary().fail(503, { times: 2 })
  const listener = build([tag()], { cloudinary, random: () => 0.99 })
  t.match(await listener.send('upload'), {
    events: [
      {
        status: 'retrying',
        processors: { tag: { outcome: 'failed', notBefore: '2026-06-01T12:00:02.000Z' } }
      }
    ]
  })
  t.strictSame((await listener.advance(1999)).events, [])
  t.match(await listener.advance(1), { events: [{ status: 'retrying' }], calls: [{ name: 'add tag' }] })
  t.equal(listener.now.toISOString(), '2026-06-01T12:00:02.000Z')
  const settled = await listener.settle()
  t.match(settled, { events: [{ status: 'done', processors: { tag: { outcome: 'succeeded' } } }] })
  t.strictSame((await listener.settle()).events, [])
})

t.test('blocks a later event of an asset until the earlier one ends', async (t) => {
  let runs = 0
  const later = new Date('2026-06-02T00:00:00.000Z')
  const handle = () => {
    if (runs++ === 0) throw new RetryLaterError('not yet', later)
  }
  const listener = build([tag({ handle })])
  t.match(await listener.send('upload', { publicId: 'bag' }), { events: [{ status: 'retrying' }] })
  t.match(await listener.send('delete', { publicId: 'bag' }), {
    events: [{ status: 'queued', processors: {} }]
  })
  t.match(await listener.settle(), {
    events: [
      { event: { type: 'upload' }, status: 'done' },
      { event: { type: 'delete' }, status: 'done' }
    ]
  })
  t.ok(listener.now >= later)
})

t.test('dead-letters permanent errors, and others after 12 attempts', async (t) => {
  const listener = build([
    tag({
      handle: () => {
        throw never
      }
    }),
    tag({
      name: 'broken',
      handle: () => {
        throw new Error('a defect')
      }
    })
  ])
  t.match(await listener.send('upload'), { deadLetters: [{ processor: 'tag', code: 'NEVER' }] })
  const { events, deadLetters } = await listener.settle()
  t.match(events, [{ status: 'dead', processors: { broken: { outcome: 'dead', attempts: 12 } } }])
  t.match(deadLetters, [{ processor: 'broken', message: 'a defect', event: { type: 'upload' } }])
})

t.test('dead-letters a message after 1,000 receives', async (t) => {
  const cloudinary = new FakeCloudinary().fail('unreachable', { times: Number.POSITIVE_INFINITY })
  const listener = build([tag()], { cloudinary })
  await listener.send('upload')
  const { events, deadLetters } = await listener.settle()
  t.match(events, [{ status: 'retrying' }])
  t.match(deadLetters, [{ event: { type: 'upload' }, processor: undefined }])
})

t.test('receives a captured notification', async (t) => {
  const listener = build([tag({ on: ['*'], ownChanges: true })])
  const captured = { notification_type: 'upload', public_id: 'bag', resource_type: 'image', type: 'upload' }
  t.match(await listener.receive(captured), {
    events: [{ event: { type: 'upload', asset: { publicId: 'bag' } }, status: 'done' }]
  })
  const listening = build([tag({ on: ['unknown'], handle: ({ payload }) => String(payload.body) })])
  t.match(await listening.receive('not JSON'), { events: [{ processors: { tag: { note: 'not JSON' } } }] })
  await t.rejects(listening.receive(randomBytes(1024 * 1024).toString('base64')), { code: 'EVENT_TOO_LARGE' })
})

t.test('explains ignored events and recognizes own changes', async (t) => {
  const listener = build([tag()])
  t.match(await listener.send('rename'), {
    events: [{ status: 'ignored', reason: /rename/, processors: {} }]
  })
  t.match(await listener.send('upload', { own: true }), {
    events: [{ status: 'ignored', event: { origin: { own: true } } }]
  })
})

t.test('takes and returns state per processor', async (t) => {
  const handle: Processor['handle'] = async (_event, { state }) => {
    await state.set('count', ((await state.get<number>('count')) ?? 0) + 1)
  }
  const listener = build([tag({ handle }), tag({ name: 'tag.2', handle })], {
    state: { tag: { count: 7, other: [] } }
  })
  await listener.send('upload')
  t.strictSame(listener.state('tag'), { count: 8, other: [] })
  t.strictSame(listener.state('tag.2'), { count: 1 })
})

t.test('keeps results unchanged by later steps', async (t) => {
  const cloudinary = new FakeCloudinary().fail(503)
  const listener = build([tag()], { cloudinary, now: new Date('2027-01-01T00:00:00.000Z') })
  const sent = await listener.send('upload')
  await listener.settle()
  t.match(sent.events, [{ status: 'retrying' }])
  t.equal(sent.calls.length, 1)
})

t.test('starts processors once and stops them', async (t) => {
  const steps: string[] = []
  const listener = build([
    tag({ start: () => void steps.push('start'), stop: () => void steps.push('stop') })
  ])
  await listener.send('upload')
  await listener.send('delete')
  await listener.stop()
  t.strictSame(steps, ['start', 'stop'])
})

t.test('does not stop processors that did not start', async (t) => {
  const stop = () => void t.fail('it is stopped')
  await build([tag({ stop })]).stop()
  const listener = build([
    tag({
      stop,
      start: () => {
        throw never
      }
    })
  ])
  await t.rejects(listener.send('upload'), never)
  await t.rejects(listener.settle(), never)
  await listener.stop()
})
