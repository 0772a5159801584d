import t, { type Test } from 'tap'
import { connect, sdk } from './sdk.ts'

async function start(t: Test) {
  const { standIn, own } = await connect(t)
  standIn.as().upload({ publicId: 'bulk/a.csv', resourceType: 'raw', content: '0123456789' })
  standIn.as().upload({ publicId: 'picture' })
  standIn
    .as()
    .upload({ publicId: 'clip', resourceType: 'video', content: 'moving', media: { format: 'MP4' } })
  standIn.as().upload({ publicId: 'archive', resourceType: 'raw', content: 'PK' })
  const urlOf = (publicId: string, resourceType = 'raw', type?: string) =>
    String(sdk.utils.private_download_url(publicId, '', { ...own, resource_type: resourceType, type }))
  const get = async (range?: string, url = urlOf('bulk/a.csv')) => {
    const response = await fetch(url, range === undefined ? {} : { headers: { range } })
    return {
      status: response.status,
      range: response.headers.get('content-range'),
      text: await response.text()
    }
  }
  const typeOf = async (url: string) => (await fetch(url)).headers.get('content-type')
  return { standIn, urlOf, get, typeOf }
}

t.test('downloads a raw asset unchanged', async (t) => {
  const { standIn, get } = await start(t)
  t.strictSame(await get(), { status: 200, range: null, text: '0123456789' })
  t.match(standIn.calls, [
    { action: 'download', resourceType: 'raw', publicIds: ['bulk/a.csv'], status: 200 }
  ])
})

t.test('answers a range with 206, and one beyond the end with 416', async (t) => {
  const { get } = await start(t)
  t.strictSame(await get('bytes=4-'), { status: 206, range: 'bytes 4-9/10', text: '456789' })
  t.strictSame(await get('bytes=2-3'), { status: 206, range: 'bytes 2-3/10', text: '23' })
  t.strictSame(await get('bytes=8-99'), { status: 206, range: 'bytes 8-9/10', text: '89' })
  t.strictSame(await get('bytes=-3'), { status: 206, range: 'bytes 7-9/10', text: '789' })
  t.strictSame(await get('bytes=-99'), { status: 206, range: 'bytes 0-9/10', text: '0123456789' })
  t.strictSame(await get('bytes=10-'), { status: 416, range: 'bytes */10', text: '' })
  for (const other of ['bytes=0-1,4-5', 'bytes=-', 'lines=1-2']) t.match(await get(other), { status: 200 })
})

t.test('answers 404 to an unknown asset or type', async (t) => {
  const { get, urlOf } = await start(t)
  for (const url of [urlOf('bulk/b.csv'), urlOf('bulk/a.csv', 'raw', 'private')]) {
    t.match(await get(undefined, url), { status: 404, text: /Resource not found/ })
  }
})

t.test('takes the content type from the content, the format or the name', async (t) => {
  const { urlOf, typeOf } = await start(t)
  t.equal(await typeOf(urlOf('picture', 'image')), 'image/png')
  t.equal(await typeOf(urlOf('clip', 'video')), 'video/mp4')
  t.equal(await typeOf(urlOf('bulk/a.csv')), 'text/csv; charset=utf-8')
  t.equal(await typeOf(urlOf('archive')), 'application/octet-stream')
})

t.test('refuses an unsigned download', async (t) => {
  const { get, urlOf } = await start(t)
  t.match(await get(undefined, urlOf('bulk/a.csv').replace('a.csv', 'b.csv')), {
    status: 401,
    text: /Invalid Signature/
  })
})
