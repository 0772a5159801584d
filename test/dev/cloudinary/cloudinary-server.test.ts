import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { startCloudinary } from '../../../dev/cloudinary/cloudinary-server.ts'
import { connect, environment, foreignKey, listen, sdk, searchFor } from './sdk.ts'

t.test('serves several clouds', async (t) => {
  const other = { cloudName: 'other', apiKey: '2', apiSecret: 'b' }
  const { standIn, own } = await connect(t, { environments: [environment, other] })
  standIn.ui().upload({ publicId: 'a' })
  standIn.as('2', 'other').upload({ publicId: 'b' })
  t.equal(standIn.assets.all().length, 1)
  t.match(standIn.assets.all('other'), [{ publicId: 'b', uploadedBy: '2' }])
  t.match(standIn.assets.find('b', { cloud: 'other', resourceType: 'image' }), { publicId: 'b' })
  t.equal(
    standIn.cloudinaryUrl(),
    `cloudinary://111111111111111:own-secret@demo?upload_prefix=${standIn.url}`
  )
  t.match(standIn.cloudinaryUrl('other', foreignKey), /^cloudinary:\/\/9+:colleague-secret@other\?/)
  t.throws(() => standIn.cloud('nope'), /no cloud nope/)
  const credentials = { ...own, cloud_name: 'other', api_key: '2', api_secret: 'b' }
  t.match(await sdk.api.resource('b', credentials), { public_id: 'b' })
})

t.test('decodes the slashes of a path that the SDK encodes as one segment, and of no other', async (t) => {
  const { standIn, own } = await connect(t)
  standIn.ui().upload({ publicId: 'a' })
  const authorization = `Basic ${Buffer.from(`${own.api_key}:${own.api_secret}`).toString('base64')}`
  for (const [path, status] of [
    ['/v1_1/demo/resources%2Fimage%2Fupload%2Fa?x=1', 200],
    ['/v1_1/demo/resources%2Fimage%2Fupload%2Fa', 200],
    ['/v1_1/demo/resources/image/upload/a%2Fb', 404],
    ['/v1_1/demo/nope', 404]
  ]) {
    t.equal(
      (await fetch(`${standIn.url}${path}`, { headers: { authorization } })).status,
      status,
      String(path)
    )
  }
})

t.test('retries after 3, 6 and 9 minutes, unless scaled', async (t) => {
  const failing = await listen(t, (_request, response) => response.writeHead(500).end())
  const slow = await startCloudinary({ environments: [environment], notificationUrl: failing })
  slow.ui().upload({ publicId: 'a' })
  t.match(await slow.attempted(() => true), { outcome: 'will_retry', retryInMs: 180_000 })
  await slow.stop()
  const fast = await startCloudinary({
    environments: [environment],
    notificationUrl: failing,
    retryScale: 1e-6
  })
  fast.ui().upload({ publicId: 'a' })
  await fast.attempted((delivery) => delivery.outcome === 'given_up')
  await fast.idle()
  t.match(
    fast.deliveries.map(({ retryInMs }) => retryInMs && Math.round(retryInMs * 1e6)),
    [180_000, 360_000, 540_000, null]
  )
  await fast.stop()
})

t.test('makes changes in the UI, or as a colleague', async (t) => {
  const { standIn } = await connect(t, { notificationUrl: await listen(t) })
  const whoDid = async (publicId: string) => {
    const delivery = await standIn.delivered(({ body }) => JSON.parse(body).public_id === publicId)
    return JSON.parse(delivery.body).notification_context.triggered_by
  }
  standIn.ui().upload({ publicId: 'a' })
  t.match(await whoDid('a'), { source: 'ui', id: 'editor@example.com' })
  standIn.as().upload({ publicId: 'b' })
  t.match(await whoDid('b'), { source: 'api', id: foreignKey.apiKey })
})

t.test('signs and delivers any body', async (t) => {
  const logged: object[] = []
  const logger = { info: (fields: object) => logged.push(fields) }
  const { standIn } = await connect(t, { logger })
  t.equal(await standIn.notify({ notification_type: 'x' }), undefined)
  standIn.setNotificationUrl(await listen(t))
  t.match(await standIn.notify({ notification_type: 'x' }), { outcome: 'delivered', notificationType: 'x' })
  t.match(await standIn.notify('plain'), { body: 'plain' })
  t.match(await standIn.notify(Buffer.from('bytes')), { body: 'bytes' })
  t.match(await standIn.delivered(), { notificationType: 'x' })
  t.match(logged, [{ outcome: 'delivered', attempt: 1 }, {}, {}])
  t.notMatch(JSON.stringify(logged), /signature/)
})

t.test('limits records, waits for calls and fails transformations', async (t) => {
  const { standIn, own } = await connect(t, { maxRecords: 10 })
  const waiting = standIn.called(({ action }) => action === 'ping')
  for (let count = 0; count < 12; count += 1) await sdk.api.ping(own)
  t.match(await waiting, { action: 'ping', status: 200 })
  t.equal(standIn.calls.length, 10)
  const { asset } = standIn.ui().upload({ publicId: 'a' })
  t.match(standIn.ui().derive(asset, 'w_1'), [{ transformation: 'w_1' }])
  standIn.failEager(() => 'no')
  t.throws(() => standIn.ui().derive(asset, 'w_1'), { message: 'no' })
})

t.test('accepts forms, and answers 404 to an unknown path', async (t) => {
  const { standIn } = await connect(t)
  const body = new URLSearchParams({ public_id: 'a' })
  t.equal((await fetch(`${standIn.url}/_standin/upload`, { method: 'POST', body })).status, 200)
  t.ok(standIn.assets.find('a'))
  const nowhere = await fetch(`${standIn.url}/nowhere`)
  t.equal(nowhere.status, 404)
  t.same(await nowhere.json(), { error: { message: 'No route GET /nowhere' } })
})

t.test('listens on the given host and port', async (t) => {
  const standIn = await startCloudinary({
    environments: [environment],
    host: 'localhost',
    port: 0,
    deliveryTimeoutMs: 100,
    resign: true
  })
  t.match(standIn.url, /^http:\/\/\S+:\d+$/)
  await standIn.stop()
})

t.test('searches lag behind changes by the given time', async (t) => {
  for (const searchLagMs of [1000, () => 1000]) {
    let now = 1_700_000_000_000
    const { standIn, own } = await connect(t, { clock: () => now, searchLagMs })
    const found = async () => (await searchFor('public_id:a').execute(own)).resources.length
    standIn.ui().upload({ publicId: 'a' })
    now += 999
    t.equal(await found(), 0)
    now += 1
    t.equal(await found(), 1)
  }
})

t.test('adds further routes beside the controls', async (t) => {
  const controls = async (app: FastifyInstance) => void app.get('/more', async () => ({ more: true }))
  const { standIn } = await connect(t, { controls })
  t.strictSame(await (await fetch(`${standIn.url}/_standin/more`)).json(), { more: true })
  t.strictSame(await (await fetch(`${standIn.url}/_standin/assets`)).json(), [])
})
