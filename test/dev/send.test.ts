import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { receiver } from './send/receiver.ts'

const script = fileURLToPath(import.meta.resolve('../../dev/send.ts'))

/** Runs the command in its own process, without a Cloudinary account in its environment. */
function send(args: string[]): Promise<{ code: number; output: string }> {
  const { CLOUDINARY_URL: _, ...env } = process.env
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, ...args], { env }, (_error, output) =>
      resolve({ code: child.exitCode ?? -1, output })
    )
  })
}

test('sends a notification and exits 0', async (t) => {
  const { url, received } = await receiver(t)
  const { code, output } = await send(['resource_tags_changed', '--url', url])
  t.equal(code, 0, output)
  t.match(JSON.parse(received[0]!.body.toString()), { notification_type: 'resource_tags_changed' })
  t.match(output, /^Answer {4}200/m)
})

test('exits 1 if the notification is refused', async (t) => {
  const { url } = await receiver(t)
  const { code, output } = await send(['--url', url, '--secret', 'not the right one'])
  t.equal(code, 1, output)
  t.match(output, /^Answer {4}401/m)
})
