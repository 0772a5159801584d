import t, { type Test } from 'tap'
import type { CloudinaryOptions } from '../../../dev/cloudinary/cloudinary-server.ts'
import { connect, environment, foreignKey, listen } from './sdk.ts'

async function start(t: Test) {
  const environments: CloudinaryOptions['environments'] = [
    { ...environment, foreignKeys: [foreignKey] },
    { ...environment, cloudName: 'other' }
  ]
  const { standIn } = await connect(t, { environments })
  const ask = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${standIn.url}/_standin/${path}`, {
      method,
      ...(body instanceof URLSearchParams && { body }),
      ...(body &&
        !(body instanceof URLSearchParams) && {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' }
        })
    })
    return { status: response.status, body: (await response.json()) as object[] }
  }
  return { standIn, ask }
}

t.test('uploads an asset, and lists assets, calls and deliveries', async (t) => {
  const { standIn, ask } = await start(t)
  const url = await listen(t)
  t.match(await ask('PUT', 'notification_url', { url }), { status: 200, body: { url } })
  t.match(await ask('POST', 'upload'), { status: 200, body: { asset_id: /./, api_key: foreignKey.apiKey } })
  const form = new URLSearchParams({ public_id: 'a', cloud: 'other', tags: 'x', resource_type: 'video' })
  t.match(await ask('POST', 'upload', form), {
    body: { public_id: 'a', tags: ['x'], resource_type: 'video' }
  })
  t.match(await ask('GET', 'idle'), { body: { idle: true } })
  t.match(standIn.deliveries, [
    { cloud: 'demo', outcome: 'delivered' },
    { cloud: 'other', outcome: 'delivered' }
  ])
  const { body } = await ask('GET', 'deliveries')
  t.match(body, [{ notificationType: 'upload' }, { notificationType: 'upload' }])
  t.notMatch(JSON.stringify(body), /x-cld-signature/)
  t.match((await ask('GET', 'deliveries?limit=1')).body, [{ cloud: 'other' }])
  t.equal((await ask('GET', 'assets')).body.length, 1)
  t.match((await ask('GET', 'assets?cloud=other')).body, [{ public_id: 'a' }])
  t.match(await ask('GET', 'assets?cloud=nope'), { status: 404, body: { error: { message: /nope/ } } })
})

t.test('uploads a file, or a text as its content', async (t) => {
  const { standIn, ask } = await start(t)
  const form = new FormData()
  form.set('file', new Blob(['operation,public_id\n']), 'june.csv')
  form.set('public_id', 'bulk/june.csv')
  form.set('resource_type', 'raw')
  form.set('asset_folder', 'bulk')
  const { ok } = await fetch(`${standIn.url}/_standin/upload`, { method: 'POST', body: form })
  t.ok(ok)
  const raw = { resourceType: 'raw' }
  const june = standIn.assets.find('bulk/june.csv', raw)
  t.match(june, { assetFolder: 'bulk', bytes: 20 })
  t.equal(june?.content?.toString(), 'operation,public_id\n')
  const text = { public_id: 'bulk/july.csv', resource_type: 'raw', content: 'a,b' }
  t.match(await ask('POST', 'upload', text), { status: 200, body: { bytes: 3, resource_type: 'raw' } })
  t.equal(standIn.assets.find('bulk/july.csv', raw)?.content?.toString(), 'a,b')
})

t.test('uploads with metadata, context and a declared size', async (t) => {
  const { standIn, ask } = await start(t)
  standIn.cloud().metadataFields.create({ external_id: 'cms_id', label: 'CMS id', type: 'string' })
  const form = { public_id: 'film', resource_type: 'video', bytes: '57200000' }
  t.match(await ask('POST', 'upload', { ...form, metadata: 'cms_id=7', context: 'alt=A film' }), {
    status: 200,
    body: { bytes: 57_200_000, metadata: { cms_id: '7' }, context: { custom: { alt: 'A film' } } }
  })
  t.match(await ask('POST', 'upload', { ...form, bytes: 'many' }), {
    status: 400,
    body: { error: { message: /bytes/ } }
  })
})

t.test('injects and clears faults', async (t) => {
  const { standIn, ask } = await start(t)
  const ping = async () => (await fetch(`${standIn.url}/v1_1/demo/ping`)).status
  t.match(await ask('POST', 'faults', new URLSearchParams({ kind: 'status', status: '503' })), {
    status: 200
  })
  t.equal(await ping(), 503)
  t.match(await ask('DELETE', 'faults'), { body: { cleared: true } })
  t.equal(await ping(), 401)
  t.match((await ask('GET', 'calls')).body, [{ action: 'ping', status: 503 }, { status: 401 }])
  t.equal((await ask('GET', 'calls?limit=x')).body.length, 2)
  t.match(await ask('POST', 'faults'), { status: 400 })
})

t.test('drops notifications on demand', async (t) => {
  const { standIn, ask } = await start(t)
  await ask('PUT', 'notification_url', { url: await listen(t) })
  const drop = new URLSearchParams({ notification_type: 'upload', count: '1' })
  t.match(await ask('POST', 'drops', drop), { status: 200, body: { added: { count: 1 } } })
  await ask('POST', 'upload')
  await ask('POST', 'upload')
  await standIn.idle()
  t.match(standIn.deliveries, [{ outcome: 'given_up', attempt: 0 }, { outcome: 'delivered' }])
  t.match(await ask('POST', 'drops'), { status: 200, body: { added: {} } })
  t.match(await ask('DELETE', 'drops'), { body: { cleared: true } })
  await ask('POST', 'upload')
  await standIn.idle()
  t.match(standIn.deliveries.at(-1), { outcome: 'delivered' })
  t.match(await ask('POST', 'drops', { count: 'many' }), {
    status: 400,
    body: { error: { message: /count/ } }
  })
})

t.test('refuses invalid parameters', async (t) => {
  const { standIn, ask } = await start(t)
  t.match(await ask('PUT', 'notification_url', { url: 'nowhere' }), { status: 400 })
  t.match(await ask('PUT', 'notification_url', {}), { status: 400 })
  const body = await fetch(`${standIn.url}/_standin/faults`, {
    method: 'POST',
    body: '<x/>',
    headers: { 'content-type': 'text/xml' }
  })
  t.equal(body.status, 415)
  standIn.cloud().assets.all = () => {
    throw new Error('broken')
  }
  t.match(await ask('GET', 'assets'), { status: 500, body: { error: { message: 'broken' } } })
})
