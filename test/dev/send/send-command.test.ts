import { join } from 'node:path'
import { test } from 'tap'
import { runSend } from '../../../dev/send/send-command.ts'
import { type Receiver, receiver, unusedUrl } from './receiver.ts'

async function send(args: string, env: NodeJS.ProcessEnv = {}, now = () => new Date()) {
  const lines: string[] = []
  const code = await runSend(args.split(' ').filter(Boolean), {
    env,
    fetch,
    now,
    elapsed: () => performance.now(),
    print: (line) => lines.push(line)
  })
  return { code, output: lines.join('\n') }
}

const to = ({ url }: Receiver | { url: string }) => `--url ${url}`

test('sends an upload, and prints the request, the answer and the next step', async (t) => {
  const listener = await receiver(t)
  const { code, output } = await send(`--public-id shop/brown ${to(listener)}`)
  t.equal(code, 0)
  t.match(output, /^Sent {6}upload, shop\/brown, [0-9a-f]{32}, \d+ bytes$/m)
  t.match(output, /^Made by {3}API key 222222222222222$/m)
  t.match(output, /^Signed {4}sha1, secret of key 111111111111111 \(demo\)$/m)
  t.match(output, `To        ${listener.url}`)
  t.match(output, /^Answer {4}200 \{"accepted":1\} in \d+\.\d ms$/m)
  t.match(output, /^Next {6}It is stored in the queue/m)
})

test('prints no secret and no signature', async (t) => {
  const listener = await receiver(t)
  const { output } = await send(`--secret hushhush ${to(listener)}`)
  t.notMatch(output, /hushhush/)
  t.notOk(output.includes(String(listener.received[0]?.headers['x-cld-signature'])))
})

test('succeeds when a deliberate error is refused', async (t) => {
  const listener = await receiver(t)
  for (const defect of ['tampered', 'stale', 'future', 'unsigned']) {
    const { code, output } = await send(`--${defect} ${to(listener)}`)
    t.equal(code, 0, defect)
    t.match(output, /^Answer {4}401/m)
    t.match(output, `--${defect} is answered`)
  }
})

test('fails when a deliberate error is accepted or a valid notification is refused', async (t) => {
  const careless = await receiver(t, () => ({ status: 200, body: { accepted: 1 } }))
  t.match(await send(`--tampered ${to(careless)}`), { code: 1, output: /should be answered 401/ })
  t.match(await send(`--secret other ${to(await receiver(t))}`), { code: 1, output: /same secret/ })
})

test('takes the port from the environment', async (t) => {
  const { port } = await receiver(t)
  t.match(await send('eager --variant hls', { PORT: String(port) }), {
    code: 0,
    output: /^Sent {6}eager, hls, /m
  })
})

test('names the first of many assets', async (t) => {
  t.match(await send(`delete --resources 12 ${to(await receiver(t))}`), { code: 0, output: /and 11 more/ })
})

test('reports an unsigned notification', async (t) => {
  t.match(await send(`--unsigned ${to(await receiver(t))}`), {
    output: /^Signed {4}no; --unsigned: /m
  })
})

test('sends a file byte for byte', async (t) => {
  const dir = t.testdir({ 'body.json': '{ "notification_type" : "upload" }\n' })
  const listener = await receiver(t)
  const { code, output } = await send(`--file ${join(dir, 'body.json')} ${to(listener)}`)
  t.equal(code, 0)
  t.equal(listener.received[0]?.body.toString(), '{ "notification_type" : "upload" }\n')
  t.match(output, /body\.json, 35 bytes/)
})

test('reports a missing file or sample', async (t) => {
  t.match(await send('--file no-such-file'), { code: 1, output: /ENOENT.*no-such-file/ })
  t.match(await send('move --variant nonsense'), { code: 1, output: /no variant "nonsense" of move/ })
  t.match(await send('upload --resources 2'), { code: 1, output: /upload .*one asset/ })
})

test('fails when nothing listens, and says how to start the listener', async (t) => {
  const url = await unusedUrl()
  t.match(await send(to({ url })), { code: 1, output: /^Answer {4}ECONNREFUSED$/m })
  t.match(await send(`--count 3 ${to({ url })}`), {
    code: 1,
    output: /^Next {6}Nothing listens .* `npm start`/m
  })
})

test('prints a summary of many notifications', async (t) => {
  const listener = await receiver(t)
  const { code, output } = await send(`--count 25 ${to(listener)}`)
  t.equal(code, 0)
  t.equal(listener.received.length, 25)
  t.match(output, /^Sending {3}25 notifications, each for another asset, 20 at once/m)
  t.match(output, /^Answers {3}25 × 200$/m)
  t.match(output, /^Next {6}It is stored in the queue\. .*-1"/m)
  t.match(output, /^Latency {3}p50 .* ms, p99 .* ms$/m)
})

test('sends a file many times', async (t) => {
  const dir = t.testdir({ 'body.json': '{}' })
  const { code, output } = await send(`--count 2 --file ${join(dir, 'body.json')} ${to(await receiver(t))}`)
  t.equal(code, 0)
  t.match(output, /the same bytes every time/)
})

test('fails when some of many answers are unexpected', async (t) => {
  const broken = await receiver(t, () => ({ status: 503, body: {} }))
  const { code, output } = await send(`--count 2 ${to(broken)}`)
  t.equal(code, 1)
  t.match(output, /^Failures {2}2/m)
  t.match(output, /QUEUE_UNAVAILABLE/)
})

test('shortens a long answer', async (t) => {
  const wordy = await receiver(t, () => ({ status: 500, body: 'x'.repeat(1000) }))
  t.match(await send(to(wordy)), { output: /x{299}… in / })
})

test('prints the help and the list, and points to the help after a wrong flag', async (t) => {
  t.match(await send('--help'), { code: 0, output: /npm run send -- \[TYPE\]/ })
  t.match(await send('--list'), { code: 0, output: /resource_context_changed/ })
  t.match(await send('--nonsense'), { code: 1, output: /Try --help\.$/ })
})

test('throws errors of the program itself', async (t) => {
  const broken = () => {
    throw new Error('no clock')
  }
  await t.rejects(send('', {}, broken), { message: 'no clock' })
})
