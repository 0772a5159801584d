import t, { type Test } from 'tap'
import { readConfig } from '../../../../app/config.ts'
import type { AssetEvent, CloudinaryClient, ProcessorContext } from '../../../../app/listener.ts'
import { missingVariables } from '../../../../app/listener-config/requirements.ts'
import { type ChatOptions, chat } from '../../../../app/processors/chat/chat.ts'
import { shownBySlack } from '../../../../dev/chat/chat-payloads.ts'
import { sampleEvent } from '../../../support/events.ts'
import { QUIET } from '../../../support/operator.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

const SIGNAL = new AbortController().signal
const OK = { status: 200, body: 'ok' }
const event = sampleEvent('upload', { publicId: 'bag', variant: 'metadata' })

const cloudinary = {
  deliveryUrl: ({ publicId, resourceType }, { transformation, format, like }) =>
    resourceType === 'raw'
      ? undefined
      : `https://a.example/${transformation}/${publicId}.${format}?like=${encodeURIComponent(String(like))}`
} as CloudinaryClient

/** Starts the processor, and a receiver with these responses. */
async function build(t: Test, options: Partial<ChatOptions> = {}, answers: [Answer, ...Answer[]] = [OK]) {
  const receiver = await buildReceiver(t, ...answers)
  const processor = chat({ service: 'slack', ...options }, { windowMs: 1 })
  const config = { ...readConfig([], {}), CHAT_WEBHOOK_URL: receiver.url }
  await processor.start?.({ config, log: QUIET })
  const handle = async (handled: AssetEvent = event) =>
    processor.handle(handled, { signal: SIGNAL, cloudinary } as ProcessorContext)
  const shown = () => receiver.requests.flatMap(({ body }) => shownBySlack(JSON.parse(body)))
  return { ...receiver, processor, config, handle, shown }
}

t.test('handles uploads and requires the URL of a webhook', async (t) => {
  const { name, on, when, requires, packages, ownChanges, deadLettered } = chat({ service: 'slack' })
  t.match(
    { name, on, requires, packages },
    {
      name: 'chat',
      on: ['upload'],
      requires: [{ name: 'CHAT_WEBHOOK_URL', secret: true, example: /^http:\/\/127\.0\.0\.1:4000\// }],
      packages: ['@slack/webhook']
    }
  )
  t.strictSame([when, ownChanges, deadLettered], [undefined, undefined, undefined])
  const wanted = () => true
  const teams = chat({ service: 'teams', when: wanted, variable: 'TEAM_URL', name: 'team', on: ['*'] })
  t.match(teams, { name: 'team', on: ['*'], when: wanted, requires: [{ name: 'TEAM_URL' }] })
  t.equal(teams.packages, undefined)
})

t.test('never repeats an invalid URL', async (t) => {
  const processor = chat({ service: 'slack' })
  for (const url of [
    'hooks.slack.com/secret-path',
    'http://hooks.slack.com/secret-path',
    'https://me:secret-path@a.example'
  ]) {
    const problems = missingVariables([processor], {}, { CHAT_WEBHOOK_URL: url })
    t.match(problems, [
      /^The value of CHAT_WEBHOOK_URL \(hidden\) is not valid: .*https; http only for this machine/
    ])
    t.notMatch(problems.join(), 'secret-path')
  }
  t.strictSame(missingVariables([processor], {}, { CHAT_WEBHOOK_URL: 'https://hooks.slack.com/a' }), [])
})

t.test('posts text, thumbnail and link', async (t) => {
  const { handle, shown } = await build(t, {
    text: '{public_id} in {event.environment}',
    thumbnail: 'c_fit,w_80',
    link: 'https://cms.example/{metadata.cms_id}'
  })
  t.equal(await handle(), 'sent to Slack')
  const like = encodeURIComponent(String(event.payload.secure_url))
  t.match(shown(), [
    {
      lines: ['bag in demo'],
      details: /^demo · upload · image/,
      thumbnail: `https://a.example/c_fit,w_80/bag.jpg?like=${like}`,
      link: 'https://cms.example/cms-1001'
    }
  ])
})

t.test('has a default text and thumbnail, and no link', async (t) => {
  const { handle, shown } = await build(t)
  await handle()
  t.match(shown(), [{ lines: [/ was uploaded$/], thumbnail: /c_fill,h_150,w_150,q_auto\/bag\.jpg/ }])
  t.equal(shown()[0]?.link, undefined)
})

t.test('posts to Teams', async (t) => {
  const { handle, requests } = await build(t, { service: 'teams' }, [202])
  t.equal(await handle(), 'sent to Teams')
  t.match(JSON.parse(requests[0]!.body), { type: 'message' })
})

t.test('shows no thumbnail without a picture', async (t) => {
  const { handle, shown } = await build(t, { on: ['*'], link: 'no URL: {public_id}' })
  const { payload } = event
  const deleted = sampleEvent('delete', { publicId: 'bag' })
  await handle(deleted)
  await handle({ ...deleted, type: 'delete_by_token' })
  await handle(sampleEvent('create_folder'))
  await handle({ ...event, payload: { ...payload, is_audio: true } })
  await handle({ ...event, asset: { ...event.asset, resourceType: 'raw' } })
  const plain = await build(t, { thumbnail: false })
  await plain.handle()
  t.equal(shown().length, 5)
  for (const { thumbnail, link } of [...shown(), ...plain.shown()]) {
    t.strictSame([thumbnail, link], [undefined, undefined])
  }
  const { handle: handleOld, shown: shownOld } = await build(t)
  await handleOld({ ...event, payload: { url: 'http://old.example/demo/a' } })
  t.match(shownOld()[0]?.thumbnail, encodeURIComponent('http://old.example/demo/a'))
})

t.test('sends nothing without text', async (t) => {
  for (const text of ['{metadata.sku}', () => undefined, () => ' \u0000']) {
    const { handle, requests } = await build(t, { text })
    t.match(await handle(), /^skipped/)
    t.equal(requests.length, 0)
  }
})

t.test('posts the events of a moment as one message', async (t) => {
  const { handle, requests, shown } = await build(t)
  const notes = await Promise.all([handle(), handle(), handle()])
  t.strictSame(notes, Array(3).fill('sent to Slack with 2 more'))
  t.strictSame([requests.length, shown().length], [1, 3])
})

t.test('says that Slack could not load the pictures', async (t) => {
  const { handle, shown } = await build(t, {}, [{ status: 400, body: 'invalid_blocks' }, OK])
  t.equal(await handle(), 'sent to Slack without pictures, which Slack cannot load')
  t.notHas(shown()[1], { thumbnail: /./ })
})

t.test('posts at most ten events in a message', async (t) => {
  const { handle, requests } = await build(t)
  await Promise.all(Array.from({ length: 11 }, () => handle()))
  t.equal(requests.length, 2)
})

t.test('fails only the event that is rejected', async (t) => {
  const { handle, requests } = await build(t, {}, [400, OK, 400, OK])
  const outcomes = await Promise.allSettled([handle(), handle(), handle()])
  t.match(outcomes, [
    { value: 'sent to Slack' },
    { reason: { code: 'CHAT_REJECTED' } },
    { value: 'sent to Slack' }
  ])
  t.equal(requests.length, 4)
})

t.test('reports dead letters, with one message for a burst', async (t) => {
  const { processor, config, handle, requests } = await build(t, { deadLetters: true })
  const letter = { processor: 'tag', code: 'NO_FIELD', message: 'no such field' }
  const report = () => processor.deadLettered?.(event, letter, { config, log: QUIET, signal: SIGNAL })
  await report()
  for (let index = 0; index < 4; index++) await report()
  // a message after the first one: the next one about dead letters is planned by then
  await handle()
  await processor.stop?.()
  const texts = requests.map(({ body }) => shownBySlack(JSON.parse(body))[0]?.lines[0])
  t.strictSame(texts, ['1 event was dead-lettered', 'bag was uploaded', '4 events were dead-lettered'])
})

t.test('can be only for dead letters', async (t) => {
  t.match(chat({ service: 'slack', on: [], deadLetters: true }), { on: [], deadLettered: Function })
})

t.test('stops a message in progress', async (t) => {
  const { handle, processor, received } = await build(t, {}, ['hang'])
  const handling = handle()
  handling.catch(() => {})
  await received(1)
  await processor.stop?.()
  await t.rejects(handling, { name: 'AbortError' })
})

t.test('accepts a stop before the start', async (t) => {
  await t.resolves(async () => chat({ service: 'slack' }).stop?.())
})

t.test('checks that the service is reachable without posting', async (t) => {
  const { processor, config, requests, close } = await build(t)
  t.match(await processor.check?.({ config, log: QUIET, signal: SIGNAL }), [
    { level: 'ok', message: /^Slack is reachable/ }
  ])
  t.equal(requests.length, 0)
  await close()
  await t.rejects(async () => processor.check?.({ config, log: QUIET, signal: SIGNAL }), {
    code: 'CHAT_UNAVAILABLE',
    message: /^cannot reach Slack: ECONNREFUSED; check CHAT_WEBHOOK_URL/
  })
})

t.test('rejects invalid options', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => chat({ service: 'slack', ...options }), { code: 'LISTENER_CONFIG_INVALID', message })
  refused({ service: 'irc' }, /^chat: service: /)
  refused({ on: ['uploads'] }, /on\.0: /)
  refused({ on: [] }, /on: must not be empty/)
  refused({ when: true }, /when: /)
  refused({ text: '{public_id' }, /text: unmatched brace/)
  refused({ link: '{event.name}' }, /link: \{event\.name\}: /)
  for (const thumbnail of ['', 'c_fill w_1', '/c_fill', 'c_fill/', 'a?b', true])
    refused({ thumbnail }, /thumbnail: must be a transformation such as/)
  t.doesNotThrow(() => chat({ service: 'slack', thumbnail: 'c_fill,w_1/e_grayscale' }))
  refused({ variable: 'chat-url' }, /variable: must be the name of a variable/)
  refused({ timeoutSeconds: 0 }, /timeoutSeconds: /)
  refused({ deadLetters: 'yes' }, /deadLetters: /)
  refused({ channel: 'general' }, /options: .*channel/)
})
