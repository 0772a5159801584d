import t from 'tap'
import { connect, helloWorldTag } from '../../../app/listener.ts'
import { runHere } from '../../support/commands.ts'
import { buildListener } from '../../support/listener.ts'

t.test('after setup, uploads are notified by a trigger; repeating setup changes nothing', async (t) => {
  const { cloudinary, webhookUrl, lines, atRest } = await buildListener(t, [helloWorldTag()])
  cloudinary.setNotificationUrl(undefined)
  const setup = async (...args: string[]) => {
    const { exitCode, output } = await runHere('setup', ...args)
    t.equal(exitCode, 0, output.join('\n'))
    return output
  }
  const writes = () => cloudinary.calls.filter(({ method }) => method !== 'GET').length

  const told = await setup('--url', webhookUrl, '--dry-run')
  // the stand-in is created with the field
  t.equal(told[0], 'demo  field    exists        last_update_timestamp (string)')
  t.ok(told.includes(`demo  trigger  would create  upload → ${webhookUrl}`), told.join('\n'))
  t.equal(writes(), 0)

  const created = await setup('--url', webhookUrl)
  t.ok(created.includes(`demo  trigger  created   upload → ${webhookUrl}`), created.join('\n'))
  await atRest()
  t.ok(
    lines.some(({ msg, type }) => msg === 'notification accepted' && type === 'unknown'),
    'the test notification'
  )
  cloudinary.as().upload({ publicId: 'bag' })
  await atRest()
  t.strictSame(cloudinary.assets.find('bag')?.tags, ['Hello World!'])
  t.ok(lines.some(({ msg, type }) => msg === 'notification accepted' && type === 'upload'))

  const accepted = () =>
    lines.filter(({ msg, type }) => msg === 'notification accepted' && type === 'upload').length
  t.equal(accepted(), 1)
  const { client, close } = await connect()
  t.teardown(close)
  await client.call('upload', (sdk, options) =>
    sdk.uploader.upload('data:image/gif;base64,R0lGODlhAQABAAAAACw=', {
      ...options,
      notification_url: 'http://127.0.0.1:1/'
    })
  )
  await atRest()
  t.equal(accepted(), 2, 'an upload with its own notification URL is notified here too')

  const before = writes()
  // without --url, setup uses WEBHOOK_URL
  t.match((await setup()).at(-2), 'Created 0, updated 0, removed 0')
  t.equal(writes(), before)
})
