import t, { type Test } from 'tap'
import type { ChatItem } from '../../../../app/processors/chat/chat-message.ts'
import { type ChatService, createPoster } from '../../../../app/processors/chat/chat-poster.ts'
import { slackMessage } from '../../../../app/processors/chat/slack-message.ts'
import { teamsMessage } from '../../../../app/processors/chat/teams-message.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

const NOW = Date.parse('2026-06-01T12:00:00.000Z')
const CAPABILITY = 'T00000000-B00000000-XXXXXXXX'
const SERVICES: readonly ChatService[] = ['slack', 'teams']
const items: ChatItem[] = [{ text: 'bag was uploaded', details: 'demo' }]
const pictured = items.map((item) => ({ ...item, thumbnail: 'https://res.cloudinary.com/a.jpg' }))
const INVALID = { status: 400, body: 'invalid_blocks' }

/** A poster, and a receiver with these answers. */
async function build(
  t: Test,
  service: ChatService,
  answers: [Answer, ...Answer[]],
  { timeoutSeconds = 60, host = '127.0.0.1' } = {}
) {
  const receiver = await buildReceiver(t, ...answers)
  const time = { now: NOW }
  const url = new URL(`${receiver.url}/${CAPABILITY}?sig=${CAPABILITY}`)
  url.hostname = host
  const post = await createPoster({
    service,
    url,
    variable: 'CHAT_WEBHOOK_URL',
    timeoutSeconds,
    clock: () => time.now
  })
  const send = (signal = new AbortController().signal, sent = items) => post(sent, signal)
  return { ...receiver, send, time, host: url.host }
}

t.test('posts a message of the service', async (t) => {
  for (const [service, message, answer] of [
    ['slack', slackMessage(items), { status: 200, body: 'ok' }],
    ['teams', teamsMessage(items), 202]
  ] as const) {
    const { send, requests } = await build(t, service, [answer])
    await send()
    t.match(requests, [{ method: 'POST', path: `/assets/${CAPABILITY}?sig=${CAPABILITY}` }])
    t.match(requests[0]?.headers, { 'content-type': 'application/json' })
    t.strictSame(JSON.parse(requests[0]!.body), JSON.parse(JSON.stringify(message)))
  }
})

t.test('rejects permanently, with a remedy, without any part of the URL', async (t) => {
  for (const service of SERVICES) {
    const name = service === 'slack' ? 'Slack' : 'Teams'
    for (const [status, message] of [
      [400, new RegExp(`^${name} answered 400: \\[secret\\] no_service$`)],
      [403, /answered 403: .* \(check that CHAT_WEBHOOK_URL is the URL of an existing webhook\)$/],
      [404, /answered 404: .* \(check that CHAT_WEBHOOK_URL/],
      [410, /answered 410: .* \(.*set another CHAT_WEBHOOK_URL\)$/]
    ] as const) {
      const { send } = await build(t, service, [{ status, body: `${CAPABILITY} no_service` }])
      await t.rejects(send(), { name: 'PermanentError', code: 'CHAT_REJECTED', message })
    }
  }
})

t.test('retries temporary failures', async (t) => {
  for (const service of SERVICES) {
    const down = await build(t, service, [503])
    await t.rejects(down.send(), {
      name: 'ListenerError',
      code: 'CHAT_UNAVAILABLE',
      message: /answered 503$/
    })
    const hanging = await build(t, service, ['hang'], { timeoutSeconds: 0.05 })
    await t.rejects(hanging.send(), { code: 'CHAT_UNAVAILABLE', message: /no response within 0\.05 s$/ })
    const gone = await build(t, service, [200])
    await gone.close()
    const error = await gone.send().catch((thrown) => thrown)
    t.match(error, {
      code: 'CHAT_UNAVAILABLE',
      message: /^cannot reach (?:Slack|Teams) \(CHAT_WEBHOOK_URL\): ECONNREFUSED$/
    })
    t.notMatch(error.message, gone.host)
  }
})

t.test('posts once more, without pictures, if Slack cannot load one', async (t) => {
  const { send, requests } = await build(t, 'slack', [INVALID, { status: 200, body: 'ok' }])
  t.equal(await send(undefined, pictured), 'without pictures')
  t.strictSame(
    requests.map(({ body }) => JSON.parse(body)),
    [pictured, items].map((sent) => JSON.parse(JSON.stringify(slackMessage(sent))))
  )
  t.equal(await send(undefined, pictured), 'complete')
  t.equal(requests.length, 3)
})

t.test('the answer to the message without pictures decides', async (t) => {
  for (const [answers, code, calls] of [
    [[INVALID, INVALID], 'CHAT_REJECTED', 2],
    [[INVALID, 503], 'CHAT_UNAVAILABLE', 2],
    [[{ status: 400, body: 'no_text' }], 'CHAT_REJECTED', 1]
  ] as [[Answer, ...Answer[]], string, number][]) {
    const { send, requests } = await build(t, 'slack', answers)
    await t.rejects(send(undefined, pictured), { code })
    t.equal(requests.length, calls)
  }
  for (const [service, sent] of [
    ['slack', items],
    ['teams', pictured]
  ] as const) {
    const { send, requests } = await build(t, service, [INVALID])
    await t.rejects(send(undefined, sent), { code: 'CHAT_REJECTED' })
    t.equal(requests.length, 1)
  }
})

t.test('leaves out a picture that only this machine can load, unless the receiver is on it', async (t) => {
  const local = items.map((item) => ({ ...item, thumbnail: 'http://127.0.0.1:4000/a.jpg' }))
  for (const service of SERVICES) {
    // reaches this machine under a name that is not one of its own
    const elsewhere = await build(t, service, [200], { host: '0.0.0.0' })
    t.equal(await elsewhere.send(undefined, local), 'without pictures')
    t.equal(await elsewhere.send(undefined, pictured), 'complete')
    const here = await build(t, service, [200])
    t.equal(await here.send(undefined, local), 'complete')
    t.strictSame(
      [...elsewhere.requests, ...here.requests].map(({ body }) => /https?:[^"]*a\.jpg/.exec(body)?.[0]),
      [undefined, pictured[0]?.thumbnail, local[0]?.thumbnail]
    )
  }
})

t.test('makes no call until the end of a rate limit', async (t) => {
  for (const service of SERVICES) {
    const limited = { status: 429, headers: { 'retry-after': '30' } }
    const { send, time, requests } = await build(t, service, [limited, 200])
    const until = new Date(NOW + 30_000)
    await t.rejects(send(), { name: 'RetryLaterError', code: 'CHAT_UNAVAILABLE', until })
    time.now += 29_999
    await t.rejects(send(), { name: 'RetryLaterError', until })
    t.equal(requests.length, 1)
    time.now += 1
    await send()
    t.equal(requests.length, 2)
  }
})

t.test('stops with the signal', async (t) => {
  for (const service of SERVICES) {
    const ending = new AbortController()
    const { send, received } = await build(t, service, ['hang'])
    const sending = send(ending.signal)
    sending.catch(() => {})
    await received(1)
    const reason = new Error('the worker stops')
    ending.abort(reason)
    await t.rejects(sending, reason)
  }
})
