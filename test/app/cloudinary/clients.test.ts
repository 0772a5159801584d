import { Agent as HttpsAgent } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { CloudinaryClients } from '../../../app/cloudinary/clients.ts'
import { type CloudinaryEnvironment, parseCloudinaryUrl } from '../../../app/credentials/cloudinary-url.ts'
import { Environments } from '../../../app/credentials/environments.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { createClients } from '../../../app/wiring.ts'
import { type CloudinaryStandIn, startCloudinary } from '../../../dev/cloudinary/server.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'
import { KINDS, refuseOutside } from './hosts.ts'

const BAG = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }
const never = new AbortController().signal

t.test('keeps connections open between calls', async (t) => {
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

t.test('calls over https without an upload_prefix', async (t) => {
  const clients = new CloudinaryClients({
    environments: { get: () => LOCAL_CLOUDINARY, cloudNames: () => ['demo'] }
  })
  t.teardown(() => clients.close())
  await clients.for('demo', never).call('look', async (_sdk, { agent }) => t.type(agent, HttpsAgent))
})

t.test('clients of an environment share a circuit breaker, until a probe succeeds', async (t) => {
  let now = Date.parse('2026-11-23T15:00:00Z')
  const changes: unknown[] = []
  const { cloudinary, clients } = await buildCloudinary(t, {
    clock: () => now,
    random: () => 0,
    onChange: (...change) => changes.push(change)
  })
  const client = clients.for('demo', never)
  t.equal(clients.isAnyBreakerOpen, false)
  cloudinary.faults.add({ kind: 'status', status: 503, count: 5 })
  for (let i = 0; i < 5; i++) await t.rejects(client.addTag(BAG, 'x'), { code: 'CLOUDINARY_UNAVAILABLE' })
  t.equal(clients.capacity, 0)
  t.equal(clients.isAnyBreakerOpen, true)
  await t.rejects(clients.for('demo', never).addTag(BAG, 'y'), { code: 'CLOUDINARY_DOWN' })
  now += 1000
  t.equal(clients.capacity, 1)
  await client.addTag(BAG, 'x')
  t.equal(clients.capacity, Number.POSITIVE_INFINITY)
  t.equal(clients.isAnyBreakerOpen, false)
  t.match(changes, [
    ['demo', { open: true, why: 'CLOUDINARY_UNAVAILABLE' }],
    ['demo', { open: false }]
  ])
})

const ONE = { cloudName: 'one', apiKey: '100000000000001', apiSecret: 'secret-of-one' }
const TWO = { cloudName: 'two', apiKey: '200000000000002', apiSecret: 'secret-of-two' }

/** Starts a Cloudinary host that serves both environments. */
async function startHost(t: Test): Promise<CloudinaryStandIn> {
  const host = await startCloudinary({ environments: [ONE, TWO] })
  t.teardown(() => host.stop())
  for (const { cloudName } of [ONE, TWO]) {
    host.as(undefined, cloudName).upload({ publicId: 'bag', resourceType: 'image' })
  }
  return host
}

/** Creates clients like a role, with environments that a rotation can replace. */
async function wire(t: Test, ...current: CloudinaryEnvironment[]) {
  const source = { read: async () => ({ current, previous: [] }) }
  const log = pino({ level: 'silent' })
  const environments = new Environments({ source, log })
  await environments.load()
  const clients = createClients(environments, log)
  t.teardown(() => clients.close())
  const rotateIn = async (environment: CloudinaryEnvironment) => {
    current.push(environment)
    await environments.refresh('a test')
  }
  return { clients, rotateIn }
}

const at = (host: CloudinaryStandIn, cloudName: string) => parseCloudinaryUrl(host.cloudinaryUrl(cloudName))

/** Makes one call of each kind. Returns the names of failed calls. */
async function callAll(clients: CloudinaryClients, cloudName: string): Promise<string[]> {
  const failed: string[] = []
  for (const [kind, call] of Object.entries(KINDS)) {
    await call(clients.for(cloudName, never)).catch(() => failed.push(kind))
  }
  return failed
}

const callersOf = ({ calls }: CloudinaryStandIn) =>
  [...new Set(calls.map(({ cloud, apiKey }) => `${cloud} ${apiKey}`))].sort()

t.test('each kind of call uses the host and the key of its environment', async (t) => {
  const [hostOfOne, hostOfTwo] = [await startHost(t), await startHost(t)]
  const { clients } = await wire(t, at(hostOfOne, 'one'), at(hostOfTwo, 'two'))
  t.strictSame([await callAll(clients, 'one'), await callAll(clients, 'two')], [[], []])
  for (const [host, { cloudName, apiKey }] of [
    [hostOfOne, ONE],
    [hostOfTwo, TWO]
  ] as const) {
    t.strictSame(callersOf(host), [`${cloudName} ${apiKey}`])
    t.ok(host.calls.length >= Object.keys(KINDS).length)
    t.equal(host.calls.filter(({ status }) => status !== 200).length, 0)
  }
})

t.test("calls Cloudinary's host for an environment without upload_prefix", async (t) => {
  const refused = refuseOutside(t)
  const host = await startHost(t)
  for (const environments of [
    [at(host, 'one'), TWO],
    [TWO, at(host, 'one')]
  ]) {
    for (const [kind, call] of Object.entries(KINDS)) {
      // the circuit breaker of the others would open
      const { clients } = await wire(t, ...environments)
      await t.rejects(call(clients.for('two', never)), { code: 'CLOUDINARY_UNREACHABLE' }, kind)
      t.strictSame(refused.splice(0), [{ host: 'api.cloudinary.com', secure: true }], kind)
    }
  }
  t.strictSame(host.calls, [])
})

t.test('ignores the global configuration of the SDK', async (t) => {
  const [host, other] = [await startHost(t), await startHost(t)]
  const { clients } = await wire(t, at(host, 'one'))
  await clients.for('one', never).call('configure', async (sdk) => {
    const before = { ...sdk.config() }
    t.teardown(() => void Object.assign(sdk.config(true), before))
    sdk.config({
      cloud_name: 'two',
      api_key: TWO.apiKey,
      api_secret: TWO.apiSecret,
      upload_prefix: other.url,
      signature_algorithm: 'sha256'
    })
  })
  t.strictSame(await callAll(clients, 'one'), [])
  t.strictSame([callersOf(host), callersOf(other)], [[`one ${ONE.apiKey}`], []])
})

t.test('calls an environment added by a rotation at its own host', async (t) => {
  const [hostOfOne, hostOfTwo] = [await startHost(t), await startHost(t)]
  const { clients, rotateIn } = await wire(t, at(hostOfOne, 'one'))
  await callAll(clients, 'one')
  await rotateIn(at(hostOfTwo, 'two'))
  t.strictSame(await callAll(clients, 'two'), [])
  t.strictSame([callersOf(hostOfOne), callersOf(hostOfTwo)], [[`one ${ONE.apiKey}`], [`two ${TWO.apiKey}`]])
})

t.test('supports http and https environments together', async (t) => {
  const host = await startHost(t)
  const helloOfTls = Promise.withResolvers<number | undefined>()
  const secure = createServer((socket) => {
    socket.once('data', ([first]) => {
      helloOfTls.resolve(first)
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
  t.teardown(() => secure.close())
  const { clients, rotateIn } = await wire(t, at(host, 'one'))
  await rotateIn({ ...TWO, uploadPrefix: `https://127.0.0.1:${(secure.address() as AddressInfo).port}` })
  await t.rejects(clients.for('two', never).addTag(BAG, 'x'), { code: 'CLOUDINARY_UNREACHABLE' })
  t.equal(await helloOfTls.promise, 0x16, 'a handshake, and not a request that can be read')
  t.strictSame(await callAll(clients, 'one'), [])
})
