import t, { type Test } from 'tap'
import { type ExpireOptions, type ExpiryWarning, expire } from '../../../../app/listener.ts'
import { FakeCloudinary, testListener, testProcessor } from '../../../../app/testing.ts'

const NOON = Date.parse('2026-06-01T12:00:00.000Z')
const DAY_MS = 86_400_000

/** Runs it once for an asset whose field has this value now; the search may have found another one. */
const run = (options: ExpireOptions, expiresOn?: string, more: object = {}) =>
  testProcessor(
    expire(options, () => NOON),
    'scheduled_search',
    {
      publicId: 'bag',
      body: { schedule: options.name ?? 'expire', metadata: { expires_on: '2026-05-01' } },
      cloudinary: new FakeCloudinary({ asset: { metadata: expiresOn ? { expires_on: expiresOn } : {} } }),
      ...more
    }
  )

const methods = ({ calls }: { calls: readonly { name: string }[] }) => calls.map(({ name }) => name)

t.test('brings its schedule and its field', async (t) => {
  const { name, on, schedules, metadataFields, when } = expire({
    name: 'licences',
    field: 'licence_end',
    warnDays: [30],
    cron: '0 6 * * MON',
    timezone: 'Europe/Berlin',
    environments: ['demo']
  })
  t.strictSame({ name, on }, { name: 'licences', on: ['scheduled_search'] })
  t.strictSame(metadataFields, [{ external_id: 'licence_end', label: 'Expires on', type: 'date' }])
  t.match(schedules, [
    { name: 'licences', cron: '0 6 * * MON', timezone: 'Europe/Berlin', environments: ['demo'] }
  ])
  t.match(schedules?.[0]?.expression(new Date(NOON)), 'metadata.licence_end<="2026-07-01"')
  t.equal(when?.({ payload: { schedule: 'licences' } } as never), true)
  t.equal(when?.({ payload: { schedule: 'expire' } } as never), false)
})

t.test('acts on the day and after it, by the value that it reads', async (t) => {
  t.match(await run({}, '2026-06-01'), { outcome: 'succeeded', note: 'tagged "expired": 2026-06-01' })
  t.match(await run({}, '2026-01-01'), { note: 'tagged "expired": 2026-01-01' })
  const extended = await run({ action: 'delete' }, '2026-06-02')
  t.match(extended, { note: 'skipped: 2026-06-02 is in 1 days' })
  t.strictSame(methods(extended), ['read asset'], 'the field was changed after the search')
  for (const value of [undefined, 'soon'])
    t.match(await run({ action: 'delete' }, value), { note: 'skipped: expires_on is not set' })
})

t.test('knows the day in its time zone', async (t) => {
  t.match(await run({ timezone: 'Pacific/Auckland' }, '2026-06-02'), { note: /^tagged/ })
  t.match(await run({ timezone: 'UTC' }, '2026-06-02'), { note: /^skipped/ })
})

t.test('deletes only when asked to, right after it has read the field', async (t) => {
  const deleted = await run({ action: 'delete' }, '2026-06-01')
  t.match(deleted, { note: 'deleted: 2026-06-01' })
  t.strictSame(methods(deleted), ['read asset', 'delete'])
})

t.test('does not touch another asset that has the name now', async (t) => {
  const other = new FakeCloudinary({ asset: { metadata: { expires_on: '2026-01-01' } } })
    .answer('read asset', { asset_id: 'another', public_id: 'bag', metadata: { expires_on: '2026-01-01' } })
    .answer('locate asset', Promise.reject({ http_code: 404 }))
  const result = await run({ action: 'delete' }, undefined, { cloudinary: other })
  t.match(result, { outcome: 'succeeded', note: 'skipped: the asset was deleted meanwhile' })
  t.strictSame(methods(result), ['read asset', 'locate asset'])
})

t.test('skips an asset that is gone', async (t) => {
  const cloudinary = new FakeCloudinary().fail(404, { times: 2 })
  t.match(await run({ action: 'delete' }, undefined, { cloudinary }), {
    outcome: 'succeeded',
    note: 'skipped: the asset was deleted meanwhile'
  })
})

t.test('retries a rate limit and an outage', async (t) => {
  for (const status of [420, 503] as const) {
    const cloudinary = new FakeCloudinary({ asset: { metadata: { expires_on: '2026-06-01' } } }).fail(status)
    t.match(await run({}, undefined, { cloudinary }), { outcome: 'failed' })
  }
})

/** Looks at an asset daily. */
async function daily(t: Test, options: ExpireOptions, expiresOn: string) {
  let now = NOON
  const cloudinary = new FakeCloudinary({ asset: { metadata: { expires_on: expiresOn } } })
  const listener = testListener({ processors: [expire(options, () => now)] }, { cloudinary })
  t.teardown(() => listener.stop())
  return {
    listener,
    wait: async (days: number) => {
      now += days * DAY_MS
      await listener.advance(days * DAY_MS)
    },
    look: async () => {
      const { events } = await listener.send('scheduled_search', {
        publicId: 'bag',
        assetId: 'a'.repeat(32),
        body: { schedule: 'expire' }
      })
      const [record] = Object.values(events[0]!.processors)
      return record && 'note' in record ? record.note : undefined
    }
  }
}

t.test('warns once for each day of the list, by a tag', async (t) => {
  const { look, wait, listener } = await daily(t, { warnDays: [30, 7] }, '2026-07-02')
  t.match(await look(), /^skipped: 2026-07-02 is in 31 days/)
  await wait(1)
  t.equal(await look(), 'warned: expires on 2026-07-02, in 30 days')
  for (const days of [1, 11, 10]) {
    await wait(days)
    t.match(await look(), /^skipped: warned/, 'also when the state is renewed')
  }
  await wait(2)
  t.equal(await look(), 'warned: expires on 2026-07-02, in 6 days')
  await wait(6)
  t.equal(await look(), 'tagged "expired": 2026-07-02')
  t.equal(listener.cloudinary.calls.filter(({ name }) => name === 'add tag').length, 2, 'the tag was there')
})

t.test('calls a function with what is needed to write a message', async (t) => {
  const warnings: ExpiryWarning[] = []
  const options: ExpireOptions = {
    warnDays: [30, 7],
    warn: (warning, { log }) => {
      warnings.push(warning)
      log.info('warned')
    }
  }
  const { look } = await daily(t, options, '2026-06-06')
  t.equal(await look(), 'warned: expires on 2026-06-06, in 5 days')
  t.match(warnings, [
    {
      asset: { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' },
      expiresOn: '2026-06-06',
      daysLeft: 5,
      warnDays: 7,
      event: { type: 'scheduled_search' }
    }
  ])
  t.equal(warnings.length, 1, 'not for 30 days too')
})

t.test('repeats a warning whose function failed', async (t) => {
  let calls = 0
  const warn = () => {
    calls++
    if (calls === 1) throw new Error('no mail server')
  }
  const { look, listener } = await daily(t, { warnDays: [30], warn }, '2026-06-06')
  await look()
  await listener.settle()
  t.equal(calls, 2)
  await listener.advance(1000)
  t.match(await look(), /^skipped: warned/)
})

t.test('warns again when the day is changed', async (t) => {
  const { look, wait, listener } = await daily(t, { warnDays: [7], warn: () => {} }, '2026-06-06')
  t.match(await look(), /^warned/)
  listener.cloudinary.answer('read asset', {
    asset_id: 'a'.repeat(32),
    public_id: 'bag',
    metadata: { expires_on: '2026-06-08' }
  })
  await wait(1)
  t.equal(await look(), 'warned: expires on 2026-06-08, in 6 days')
})

t.test('skips an event without an asset', async (t) => {
  t.equal(await expire().handle({ asset: null } as never, {} as never), 'skipped: the event names no asset')
})
