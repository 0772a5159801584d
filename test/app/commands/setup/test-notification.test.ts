import t from 'tap'
import { sendTest } from '../../../../app/commands/setup/test-notification.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const HOOK = 'http://127.0.0.1:1/webhooks/cloudinary'

t.test('sends a test through a trigger to the address, and notes an error', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t, {}, { retryDelaysMs: [] })
  const client = clients.for('demo', new AbortController().signal)
  t.match(await sendTest(client, HOOK), { state: 'not sent', note: /no trigger/ })
  const { triggers } = cloudinary.cloud()
  triggers.create({ uri: 'http://127.0.0.1:1/other', event_type: 'all' }, 0)
  triggers.create({ uri: `${HOOK}/`, event_type: 'upload' }, 0)
  t.strictSame(await sendTest(client, HOOK), { state: 'sent' })
  await cloudinary.idle()
  t.match(cloudinary.deliveries, [{ url: `${HOOK}/`, notificationType: 'test' }])
  t.equal(cloudinary.deliveries.length, 1)
  cloudinary.faults.add({ kind: 'status', status: 500, action: 'test_trigger' })
  t.match(await sendTest(client, HOOK), { state: 'not sent', note: /500 / })
})
