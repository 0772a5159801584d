import t from 'tap'
import { defineProcessor, PermanentError, type Processor } from '../../app/listener.ts'
import { FakeCloudinary, testListener, testProcessor } from '../../app/testing.ts'

const processor = (handle: Processor['handle'], fields: Partial<Processor> = {}): Processor => ({
  name: 'own',
  on: ['upload'],
  handle,
  ...fields
})

t.test('returns the effects of a successful run', async (t) => {
  const tag = processor(async ({ asset, payload }, { cloudinary, state, log }) => {
    log.info({ tags: payload.tags }, 'tagging')
    await cloudinary.addTag(asset!, 'seen')
    await state.set('count', (await state.get<number>('count'))! + 1)
    return 'tagged'
  })
  const run = await testProcessor(tag, 'upload', {
    variant: 'video',
    publicId: 'film',
    body: { tags: ['red'] },
    state: { count: 3 },
    now: new Date('2027-01-01T00:00:00.000Z'),
    random: () => 0
  })
  t.match(run, {
    outcome: 'succeeded',
    note: 'tagged',
    attempts: 1,
    at: '2027-01-01T00:00:00.000Z',
    event: { asset: { publicId: 'film', resourceType: 'video' }, origin: { own: false } },
    state: { count: 4 }
  })
  t.strictSame(run.calls, [
    {
      name: 'add tag',
      method: 'uploader.add_tag',
      args: ['seen', ['film'], { resource_type: 'video', type: 'upload' }]
    }
  ])
  t.match(run.log, [
    { level: 'info', msg: 'tagging', tags: ['red'], processor: 'own', type: 'upload' },
    { msg: 'event processed' }
  ])
})

t.test('returns temporary and permanent failures', async (t) => {
  const cloudinary = new FakeCloudinary().fail(503)
  const tag = processor(({ asset }, context) => context.cloudinary.addTag(asset!, 'seen'))
  t.match(await testProcessor(tag, 'upload', { cloudinary, random: () => 0.99 }), {
    outcome: 'failed',
    code: 'CLOUDINARY_UNAVAILABLE',
    notBefore: '2026-06-01T12:00:02.000Z',
    deadLetters: []
  })
  t.equal(cloudinary.calls.length, 1)
  const refuses = processor(() => {
    throw new PermanentError('never', { code: 'NEVER' })
  })
  const { event, ...run } = await testProcessor(refuses, 'upload')
  t.match(run, {
    outcome: 'dead',
    code: 'NEVER',
    message: 'never',
    deadLetters: [{ event, processor: 'own', code: 'NEVER' }]
  })
})

t.test('returns why a processor is ignored', async (t) => {
  const never = processor(() => void t.fail('it is run'), { when: () => false })
  for (const run of [
    await testProcessor(never, 'upload'),
    await testProcessor(never, 'rename'),
    await testProcessor(never, 'upload', { own: true })
  ]) {
    t.match(run, { outcome: 'ignored', reason: /\w/ })
  }
})

t.test('starts with the given variables and stops', async (t) => {
  const steps: string[] = []
  const database = processor(() => void steps.push('handle'), {
    requires: ['DATABASE_URL'],
    start: ({ config }) => void steps.push(`start ${config.DATABASE_URL}`),
    stop: () => void steps.push('stop')
  })
  const variables = { DATABASE_URL: 'postgres://user:password@localhost/db' }
  t.match(await testProcessor(database, 'upload', { variables }), { outcome: 'succeeded' })
  t.strictSame(steps, [`start ${variables.DATABASE_URL}`, 'handle', 'stop'])
  await t.rejects(testProcessor(database, 'upload'), { code: 'CONFIG_INVALID', message: /DATABASE_URL/ })
  const own = defineProcessor({
    name: 'own',
    on: ['upload'],
    requires: [{ name: 'CMS_TOKEN', example: 'a-token' }],
    handle: (_event, { config }) => config.CMS_TOKEN
  })
  t.match(await testProcessor(own, 'upload'), { note: 'a-token' }, 'the example of a variable is its default')
  t.match(await testProcessor(own, 'upload', { variables: { CMS_TOKEN: 'given' } }), { note: 'given' })
  t.equal(steps.length, 3)
})

t.test('rejects unknown types, variants and invalid processors', async (t) => {
  const own = processor(() => {})
  // @ts-expect-error no such type
  await t.rejects(testProcessor(own, 'uploaded'), { code: 'SAMPLE_UNKNOWN', message: /upload/ })
  // @ts-expect-error no such variant
  await t.rejects(testProcessor(own, 'upload', { variant: 'film' }), {
    code: 'SAMPLE_UNKNOWN',
    message: /image, video/
  })
  await t.rejects(testProcessor({ ...own, name: '' }, 'upload'), { code: 'LISTENER_CONFIG_INVALID' })
  t.throws(() => testListener({ processors: [own, own] }), { code: 'LISTENER_CONFIG_INVALID' })
})
