import t from 'tap'
import { connect, listen, refusal, sdk } from './sdk.ts'

const PIXEL = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='

t.test('smoke', async (t) => {
  const { standIn, own } = await connect(t, { notificationUrl: await listen(t) })
  const a = await sdk.uploader.upload(PIXEL, { ...own, public_id: 'a/b c', tags: ['x', 'y&z'] })
  console.error(a)
  console.error(JSON.parse((await standIn.delivered()).body))
  console.error(standIn.calls)
  console.error(await sdk.api.resource('a/b c', own))
  const s = await sdk.search
    .expression('tags:x')
    .with_field('tags')
    .execute(own as never)
  console.error(s)
  console.error(await refusal(sdk.api.resource('nope', own)))
})
