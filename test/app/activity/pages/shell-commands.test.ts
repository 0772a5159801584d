import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import { curlCommand, quoted, sendCommand } from '../../../../app/activity/pages/shell-commands.ts'
import { readCommand } from '../../../../dev/send/send-options.ts'
import { HOSTILE } from '../../../support/activity-events.ts'

const origin = { source: 'api', id: 'k', own: false }

t.test('a shell reads any quoted text as one word', async (t) => {
  const texts = fc.sample(fc.string({ unit: 'grapheme', minLength: 1 }), 200)
  const words = [HOSTILE, "'; rm -rf / #", '$(id)`id`\\', 'a\nb', ...texts].map((text) => text.toWellFormed())
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(quoted).join(' ')}`])
    .toString()
    .split('\0')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are left out
  const expected = words.map((text) => text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ''))
  t.strictSame(printed.slice(0, -1), expected)
})

t.test('`npm run send` understands the command', async (t) => {
  const command = sendCommand({
    type: 'upload',
    asset: { publicId: 'shoes/red', resourceType: 'video' },
    origin
  })
  t.equal(command, "npm run send -- upload --public-id 'shoes/red' --resource-type 'video'")
  const parsed = readCommand(['upload', '--public-id', 'shoes/red', '--resource-type', 'video'], {})
  t.match(parsed, {
    action: 'send',
    options: { type: 'upload', publicId: 'shoes/red', resourceType: 'video' }
  })
})

t.test('the command includes the author of the change', async (t) => {
  t.equal(
    sendCommand({ type: 'delete', asset: null, origin: { ...origin, own: true } }),
    'npm run send -- delete --own'
  )
  t.equal(
    sendCommand({ type: 'delete', asset: {}, origin: { ...origin, source: 'ui' } }),
    'npm run send -- delete --ui'
  )
})

t.test('the curl command sends the payload, signed', async (t) => {
  const command = curlCommand({ public_id: "it's" })!
  const script = `curl() { printf '%s\\n' "$@"; }\ndate() { echo 1780315200; }\nCLOUDINARY_API_SECRET=abcd\n${command}`
  const [, , , , , timestamp, , signature, , body] = execFileSync('sh', ['-c', script]).toString().split('\n')
  t.equal(timestamp, 'X-Cld-Timestamp: 1780315200')
  t.match(signature, /^X-Cld-Signature: [0-9a-f]{40}$/)
  t.equal(body, '{"public_id":"it\'s"}')
})

t.test('an unknown payload, or one too long for a shell, has no command', async (t) => {
  t.equal(curlCommand(undefined), undefined)
  t.equal(curlCommand({ a: 'x'.repeat(70_000) }), undefined)
})
