import fastify from 'fastify'
import t, { type Test } from 'tap'
import { slackMessage } from '../../../app/processors/chat/slack-message.ts'
import { teamsMessage } from '../../../app/processors/chat/teams-message.ts'
import { chatReceiver } from '../../../dev/chat/chat-receiver.ts'

const items = [
  { text: 'bag <script>', details: 'demo', thumbnail: 'https://a.example/t.jpg', link: 'https://a.example/' }
]

function build(t: Test) {
  const app = fastify()
  app.register(chatReceiver)
  t.teardown(() => app.close())
  const post = (payload: unknown) =>
    app.inject({
      method: 'POST',
      url: '/chat',
      headers: { 'content-type': 'application/json' },
      payload: typeof payload === 'string' ? payload : JSON.stringify(payload)
    })
  const get = (url: string) => app.inject({ url })
  return { app, post, get }
}

t.test('answers like Slack and like Teams', async (t) => {
  const { post, get } = build(t)
  t.match(await post(slackMessage(items)), { statusCode: 200, body: 'ok' })
  t.match(await post(teamsMessage(items)), { statusCode: 202, body: '' })
  t.match((await get('/chat/messages')).json(), [
    { service: 'Slack', items: [{ lines: ['bag <script>'] }] },
    { service: 'Teams', payload: { type: 'message' } }
  ])
})

t.test('rejects invalid messages', async (t) => {
  const { app, post, get } = build(t)
  t.match(await post('no JSON'), { statusCode: 400, body: /^invalid_payload/ })
  t.match(await app.inject({ method: 'POST', url: '/chat' }), { statusCode: 400, body: /^invalid_payload/ })
  t.match(await post({ text: 'a', blocks: [] }), { statusCode: 400, body: /^invalid_blocks: blocks: / })
  t.match(await post({ attachments: [] }), { statusCode: 400 })
  t.match(await post('7'), { statusCode: 400 })
  t.strictSame((await get('/chat/messages')).json(), [])
})

t.test('shows the messages as a page, the newest first', async (t) => {
  const { post, get } = build(t)
  t.match((await get('/chat')).body, 'No message yet')
  await post(slackMessage(items))
  await post(slackMessage([{ text: 'hat', details: 'demo' }]))
  const { body, headers } = await get('/chat')
  t.match(headers['content-type'], 'text/html')
  t.match(body, /hat[\s\S]*bag &#60;script&#62;/)
  t.match(body, '<img class="thumbnail" src="https://a.example/t.jpg" alt="demo">')
  t.match(body, '<a href="https://a.example/">Open</a>')
})

t.test('keeps the latest messages', async (t) => {
  const { post, get } = build(t)
  for (let index = 0; index <= 200; index++) await post(slackMessage([{ text: `${index}`, details: 'demo' }]))
  const kept = (await get('/chat/messages')).json()
  t.equal(kept.length, 200)
  t.match(kept[0], { items: [{ lines: ['1'] }] })
})
