import { Agent as HttpsAgent } from 'node:https'
import t from 'tap'
import { CloudinaryClients } from '../../../app/cloudinary/clients.ts'
import { LOCAL_CLOUDINARY } from '../../../dev/defaults.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'

const BAG = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }
const never = new AbortController().signal

t.test('connections are kept open between calls', async (t) => {
  const { clients } = await buildCloudinary(t)
  const client = clients.for('demo', never)
  const ports = new Set<unknown>()
  for (let i = 0; i < 3; i++) {
    await client.call('read asset', async (sdk, options) => {
      const agent = options.agent
      const result = await sdk.uploader.explicit('bag', { ...options, type: 'upload' })
      for (const sockets of Object.values(agent.freeSockets)) {
        for (const socket of sockets ?? []) ports.add(socket.localPort)
      }
      return result
    })
  }
  t.equal(ports.size, 1)
})

t.test('without an upload_prefix calls go over https', async (t) => {
  const clients = new CloudinaryClients({
    environments: { get: () => LOCAL_CLOUDINARY, cloudNames: () => ['demo'] },
    uploadPrefix: undefined
  })
  t.teardown(() => clients.close())
  await clients.for('demo', never).call('look', async (_sdk, { agent }) => t.type(agent, HttpsAgent))
})

t.test(
  'the clients of an environment stop when calls fail one after the other, until a probe succeeds',
  async (t) => {
    let now = Date.parse('2026-11-23T15:00:00Z')
    const changes: unknown[] = []
    const { cloudinary, clients } = await buildCloudinary(t, {
      clock: () => now,
      random: () => 0,
      onChange: (...change) => changes.push(change)
    })
    const client = clients.for('demo', never)
    t.equal(clients.isAnyStopped, false)
    cloudinary.faults.add({ kind: 'status', status: 503, count: 5 })
    for (let i = 0; i < 5; i++) await t.rejects(client.addTag(BAG, 'x'), { code: 'CLOUDINARY_UNAVAILABLE' })
    t.equal(clients.capacity, 0)
    t.equal(clients.isAnyStopped, true)
    await t.rejects(clients.for('demo', never).addTag(BAG, 'y'), { code: 'CLOUDINARY_DOWN' })
    now += 1000
    t.equal(clients.capacity, 1)
    await client.addTag(BAG, 'x')
    t.equal(clients.capacity, Number.POSITIVE_INFINITY)
    t.equal(clients.isAnyStopped, false)
    t.match(changes, [
      ['demo', { open: true, why: 'CLOUDINARY_UNAVAILABLE' }],
      ['demo', { open: false }]
    ])
  }
)
