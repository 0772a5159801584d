import t from 'tap'
import { connect } from './sdk.ts'

t.test('serves an asset at its URLs, with its content and type', async (t) => {
  const { standIn } = await connect(t)
  const report = {
    publicId: 'bulk/j\u00fcne 1.report.csv',
    resourceType: 'raw',
    content: 'row,outcome\n1,ok\n'
  }
  standIn.as().upload(report)
  const { asset } = standIn.as().upload({ publicId: 'v2/picture' })
  const answer = await fetch(`${standIn.url}/_standin/assets`)
  for (const { public_id, url, secure_url } of (await answer.json()) as Record<string, string>[]) {
    t.equal(url, secure_url)
    const served = await fetch(url!)
    t.equal(served.status, 200, String(url))
    if (public_id !== report.publicId) continue
    t.equal(served.headers.get('content-type'), 'text/csv; charset=utf-8')
    t.equal(await served.text(), report.content)
  }
  const path = `${standIn.url}/demo/image/upload`
  for (const name of [
    `s--abc--/c_fill,w_10/v${asset.version}/v2/picture.jpg`,
    'w_10/v1/v2/picture',
    'v2/picture.png'
  ]) {
    t.equal((await fetch(`${path}/${name}`)).headers.get('content-type'), 'image/png', name)
  }
  const part = await fetch(`${path}/v2/picture`, { headers: { range: 'bytes=1-3' } })
  t.equal(await part.text(), 'PNG')
})

t.test('answers 404 with the reason', async (t) => {
  const { standIn } = await connect(t)
  for (const [path, message] of [
    ['demo/image/upload/v1/nothing.png', /Resource not found/],
    ['other/image/upload/v1/a.png', /no cloud other/],
    ['demo/sound/upload/v1/a.mp3', /No route/]
  ] as const) {
    const answer = await fetch(`${standIn.url}/${path}`)
    t.equal(answer.status, 404)
    t.match(await answer.json(), { error: { message } })
  }
})

t.test('reports an internal error', async (t) => {
  const { standIn } = await connect(t)
  const { asset } = standIn.as().upload({ publicId: 'a' })
  Object.assign(asset, { content: undefined })
  t.equal((await fetch(`${standIn.url}/demo/image/upload/a`)).status, 500)
})
