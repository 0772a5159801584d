import { test } from 'tap'
import { readCommand } from '../../../dev/send/options.ts'
import { sendOptions } from './fixtures.ts'

const refused = (message: RegExp) => ({ action: 'refuse', message })

test('without arguments it is an upload to this machine, signed with the local secret', async (t) => {
  t.match(readCommand([], {}), { action: 'send', options: sendOptions() })
})

test('the port of the environment is the one it is sent to', async (t) => {
  t.match(readCommand([], { PORT: '9000' }), {
    options: { url: 'http://127.0.0.1:9000/webhooks/cloudinary' }
  })
  t.match(readCommand(['--url', 'https://example.com/x'], { PORT: '9000' }), {
    options: { url: 'https://example.com/x' }
  })
  t.match(readCommand([], { PORT: 'x' }), refused(/--url, or PORT/))
  t.match(readCommand(['--url', 'ftp://example.com'], {}), refused(/http or https, not "ftp/))
})

test('what is sent can be chosen', async (t) => {
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

test('who did it can be chosen, once', async (t) => {
  t.match(readCommand(['--own'], {}), { options: { own: true, source: 'api' } })
  t.match(readCommand(['--ui'], {}), { options: { own: false, source: 'ui' } })
  t.match(readCommand(['--own', '--ui'], {}), refused(/One at a time/))
})

test('one thing can be wrong with it', async (t) => {
  for (const defect of ['tampered', 'stale', 'future', 'unsigned']) {
    t.match(readCommand([`--${defect}`], {}), { options: { defect } })
  }
  t.match(readCommand(['--stale', '--tampered'], {}), refused(/--tampered, --stale/))
})

test('credentials come from flags, then from CLOUDINARY_URL', async (t) => {
  const env = { CLOUDINARY_URL: 'cloudinary://1:hush@shop?signature_algorithm=sha256' }
  t.match(readCommand([], env), {
    options: { credentials: { cloudName: 'shop', apiKey: '1', apiSecret: 'hush', algorithm: 'sha256' } }
  })
  t.match(readCommand(['--cloud', 'c', '--key', 'k', '--secret', 's'], env), {
    options: { credentials: { cloudName: 'c', apiKey: 'k', apiSecret: 's' } }
  })
  t.match(readCommand(['--sha256'], {}), { options: { credentials: { algorithm: 'sha256' } } })
})

test('a CLOUDINARY_URL that cannot be used is refused without being shown', async (t) => {
  const command = readCommand([], { CLOUDINARY_URL: 'cloudinary://1:hush' })
  t.match(command, refused(/cloud name is missing/))
  t.notMatch(command, { message: /hush/ })
})

test('help and the list come before anything else', async (t) => {
  t.same(readCommand(['-h', '--list', 'nonsense'], {}), { action: 'help' })
  t.same(readCommand(['--list', 'nonsense'], {}), { action: 'list' })
})

test('what is not known or out of range is refused with what is', async (t) => {
  t.match(readCommand(['uplaod'], {}), refused(/"uplaod" is not known: --list/))
  t.match(readCommand(['upload', 'delete'], {}), refused(/One TYPE at a time, not: upload delete/))
  t.match(readCommand(['--resource-type', 'gif'], {}), refused(/one of image, video, raw/))
  t.match(readCommand(['--resources', '1001'], {}), refused(/--resources is a whole number from 1 to 1000/))
  t.match(readCommand(['--count', '0'], {}), refused(/--count/))
  t.match(readCommand(['--concurrency', '1e3'], {}), refused(/not "1e3"/))
  t.match(readCommand(['--cuont', '1'], {}), refused(/--cuont/))
})

test('a fault that is not about the arguments is not hidden', async (t) => {
  const env = {
    get PORT(): string {
      throw new Error('no environment')
    }
  }
  t.throws(() => readCommand([], env), { message: 'no environment' })
})
