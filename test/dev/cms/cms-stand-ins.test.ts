import t from 'tap'
import { buildCms } from '../../support/cms.ts'

t.test('shows entries before and after a change', async (t) => {
  const { url, contentful, sanity } = await buildCms(t)
  const entry = contentful.entry('welcome')!
  const headers = {
    authorization: 'Bearer local-contentful-token',
    'content-type': 'application/vnd.contentful.management.v1+json',
    'x-contentful-version': '2'
  }
  const body = JSON.stringify({ fields: { hero: {} } })
  const path = '/contentful/spaces/a/environments/b/entries/welcome'
  t.equal((await fetch(url + path, { method: 'PUT', headers, body })).status, 200)
  t.match(await (await fetch(`${url}/cms`)).json(), {
    contentful: [
      { id: 'welcome', version: 3, before: { title: { 'en-US': 'Welcome' } }, fields: { hero: {} } }
    ],
    sanity: [{ _id: 'welcome', hero: { _type: 'cloudinary.asset', public_id: 'hello/first-upload' } }]
  })
  t.equal(entry.sys.publishedVersion, 1)
  t.equal(sanity.document('welcome')?.title, 'Welcome')
})
