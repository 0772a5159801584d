import t, { type Test } from 'tap'
import { type ChatService, createPoster } from '../../../../app/processors/chat/chat-poster.ts'
import { slackMessage } from '../../../../app/processors/chat/slack-message.ts'
import { teamsMessage } from '../../../../app/processors/chat/teams-message.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

const NOW = Date.parse('2026-06-01T12:00:00.000Z')
const CAPABILITY = 'T00000000-B00000000-XXXXXXXX'
const SERVICES: readonly ChatService[] = ['slack', 'teams']
const items = [{ text: 'bag was uploaded', details: 'demo' }]

/** A poster, and a receiver with these answers. */
async function build(t: Test, service: ChatService, answers: [Answer, ...Answer[]], timeoutSeconds = 60) {
  const receiver = await buildReceiver(t, ...answers)
  const time = { now: NOW }
  const url = new URL(`${receiver.url}/${CAPABILITY}?sig=${CAPABILITY}`)
  const post = await createPoster({
    service,
    url,
    variable: 'CHAT_WEBHOOK_URL',
    timeoutSeconds,
    clock: () => time.now
  })
  const send = (signal = new AbortController().signal) => post(items, signal)
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
    const hanging = await build(t, service, ['hang'], 0.05)
    await t.rejects(hanging.send(), { code: 'CHAT_UNAVAILABLE', message: /no response within 0\.05 s$/ })
    const gone = await build(t, service, [200])
    await gone.close()
    const error = await gone.send().catch((thrown) => thrown)
    t.match(error, {
      code: 'CHAT_UNAVAILABLE',
      message: /^cannot reach (?:Slack|Teams): connect ECONNREFUSED/
    })
    t.notMatch(error.message, gone.host)
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
