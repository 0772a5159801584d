import { test } from 'tap'
import { DEFECTS, readCommand, signingOffset } from '../../../dev/send/send-options.ts'
import { sendOptions } from './fixtures.ts'

const refused = (message: RegExp) => ({ action: 'refuse', message })

test('defaults to an upload to this machine, signed with the local secret', async (t) => {
  t.match(readCommand([], {}), { action: 'send', options: sendOptions() })
})

test('takes the port from the environment', async (t) => {
  t.match(readCommand([], { PORT: '9000' }), {
    options: { url: 'http://127.0.0.1:9000/webhooks/cloudinary' }
  })
  t.match(readCommand(['--url', 'https://example.com/x'], { PORT: '9000' }), {
    options: { url: 'https://example.com/x' }
  })
  t.match(readCommand([], { PORT: 'x' }), refused(/--url or PORT/))
  t.match(readCommand(['--url', 'ftp://example.com'], {}), refused(/not "ftp/))
})

test('reads the options of the notification', async (t) => {
  const args =
    'move --variant folders --public-id a/b --resource-type video --resources 9 --count 5 --concurrency 2'
  t.match(readCommand(args.split(' '), {}), {
    options: {
      type: 'move',
      variant: 'folders',
      publicId: 'a/b',
      resourceType: 'video',
      resources: 9,
      count: 5,
      concurrency: 2
    }
  })
  t.match(readCommand(['--file', 'body.json'], {}), { options: { file: 'body.json' } })
})

test('reads the author, and rejects two', async (t) => {
  t.match(readCommand(['--own'], {}), { options: { own: true, source: 'api' } })
  t.match(readCommand(['--ui'], {}), { options: { own: false, source: 'ui' } })
  t.match(readCommand(['--own', '--ui'], {}), refused(/--own and --ui/))
})

test('accepts one deliberate error', async (t) => {
  for (const defect of ['tampered', 'stale', 'future', 'unsigned']) {
    t.match(readCommand([`--${defect}`], {}), { options: { defect } })
  }
  t.match(readCommand(['--stale', '--tampered'], {}), refused(/--tampered, --stale/))
})

test('takes credentials from flags, then from CLOUDINARY_URL', async (t) => {
  const env = { CLOUDINARY_URL: 'cloudinary://1:hush@shop?signature_algorithm=sha256' }
  t.match(readCommand([], env), {
    options: { credentials: { cloudName: 'shop', apiKey: '1', apiSecret: 'hush', algorithm: 'sha256' } }
  })
  t.match(readCommand(['--cloud', 'c', '--key', 'k', '--secret', 's'], env), {
    options: { credentials: { cloudName: 'c', apiKey: 'k', apiSecret: 's' } }
  })
  t.match(readCommand(['--sha256'], {}), { options: { credentials: { algorithm: 'sha256' } } })
})

test('rejects an invalid CLOUDINARY_URL without showing it', async (t) => {
  const command = readCommand([], { CLOUDINARY_URL: 'cloudinary://1:hush' })
  t.match(command, refused(/cloud name is missing/))
  t.notMatch(command, { message: /hush/ })
})

test('--help and --list take precedence', async (t) => {
  t.same(readCommand(['-h', '--list', 'nonsense'], {}), { action: 'help' })
  t.same(readCommand(['--list', 'nonsense'], {}), { action: 'list' })
})

test('refuses unknown and out-of-range values with what is allowed', async (t) => {
  t.match(readCommand(['uplaod'], {}), refused(/"uplaod".*--list/))
  t.match(readCommand(['upload', 'delete'], {}), refused(/one TYPE, .*upload delete/))
  t.match(readCommand(['--resource-type', 'gif'], {}), refused(/one of image, video, raw/))
  t.match(readCommand(['--resources', '1001'], {}), refused(/--resources .*1 to 1000/))
  t.match(readCommand(['--count', '0'], {}), refused(/--count/))
  t.match(readCommand(['--concurrency', '1e3'], {}), refused(/not "1e3"/))
  t.match(readCommand(['--cuont', '1'], {}), refused(/--cuont/))
})

test('throws errors that are not about the arguments', async (t) => {
  const env = {
    get PORT(): string {
      throw new Error('no environment')
    }
  }
  t.throws(() => readCommand([], env), { message: 'no environment' })
})

test('signs only stale and future notifications at another time, outside the window', async (t) => {
  t.equal(signingOffset('stale'), -10_800)
  t.equal(signingOffset('future'), 3600)
  t.same([signingOffset(undefined), signingOffset('tampered'), signingOffset('unsigned')], [0, 0, 0])
})

test('gives each deliberate error a signature code', async (t) => {
  t.same(
    Object.entries(DEFECTS).map(([name, { code }]) => [name, code]),
    [
      ['tampered', 'SIGNATURE_INVALID'],
      ['stale', 'SIGNATURE_EXPIRED'],
      ['future', 'SIGNATURE_EXPIRED'],
      ['unsigned', 'SIGNATURE_MISSING']
    ]
  )
})
