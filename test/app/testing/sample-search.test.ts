import t from 'tap'
import { testListener, testProcessor } from '../../../app/testing.ts'

t.test('sends the event of an asset that a schedule has found', async (t) => {
  const run = await testProcessor(
    {
      name: 'sweep',
      on: ['scheduled_search'],
      async handle({ asset, payload }, { cloudinary }) {
        await cloudinary.addTag(asset!, `${payload.schedule}`)
        const { metadata } = await cloudinary.currentState(asset!)
        return `expires on ${metadata?.expires_on}`
      }
    },
    'scheduled_search',
    { publicId: 'bag', body: { schedule: 'unused', metadata: { expires_on: '2026-06-30' } } }
  )
  t.match(run, {
    outcome: 'succeeded',
    note: 'expires on 2026-06-30',
    event: {
      type: 'scheduled_search',
      asset: { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' },
      payload: { schedule: 'unused', scheduled_at: '2026-06-01T12:00:00.000Z' }
    },
    calls: [{ name: 'add tag' }, { name: 'read asset' }]
  })
  t.notOk('notification_type' in run.event.payload)
})

t.test('the same sample at the same time is a redelivery', async (t) => {
  let runs = 0
  const listener = testListener({
    processors: [{ name: 'count', on: ['scheduled_search'], handle: () => void runs++ }]
  })
  await listener.send('scheduled_search')
  await listener.send('scheduled_search')
  t.equal(runs, 1)
  await listener.advance(1000)
  t.match(await listener.send('scheduled_search'), {
    events: [{ event: { payload: { schedule: 'sample' } } }]
  })
  t.equal(runs, 2)
  await listener.stop()
})
