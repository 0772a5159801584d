import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { CloudinaryClient } from '../../../app/cloudinary/client.ts'
import { downloadPart, type RawFile, uploadRawFile } from '../../../app/cloudinary/raw-files.ts'
import { parseCloudinaryUrl } from '../../../app/credentials/cloudinary-url.ts'
import { ListenerError } from '../../../app/errors.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'

const never = new AbortController().signal
const FILE = { publicId: 'bulk/a.csv', deliveryType: 'upload' }

async function* pieces(...texts: string[]) {
  yield* texts
}

async function start(t: Test) {
  const { cloudinary, clients } = await buildCloudinary(t)
  return { cloudinary, client: clients.for('demo', never) }
}

/** Builds a client that calls the test's own server. */
async function startWith(t: Test, answer: RequestListener): Promise<CloudinaryClient> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const prefix = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const environment = parseCloudinaryUrl(`cloudinary://key:secret@demo?upload_prefix=${prefix}`)
  const { clients } = await buildCloudinary(t, {
    environments: { get: () => environment, cloudNames: () => ['demo'] }
  })
  return clients.for('demo', never)
}

/** Downloads a whole file in parts. */
async function download(client: CloudinaryClient, file: RawFile, bytes: number) {
  const parts: string[] = []
  for (let offset = 0; ; ) {
    const { content, isLast } = await downloadPart(client, file, { offset, bytes })
    offset += content.length
    parts.push(content.toString())
    if (isLast) return parts
  }
}

t.test('downloads an uploaded file of any delivery type', async (t) => {
  const { cloudinary, client } = await start(t)
  for (const file of [FILE, { publicId: 'bulk/b c&d.csv', deliveryType: 'private', assetFolder: 'bulk' }]) {
    await uploadRawFile(client, file, pieces('operation,', 'public_id\n', 'ü'))
    t.strictSame(await downloadPart(client, file, { offset: 0, bytes: 100 }), {
      content: Buffer.from('operation,public_id\nü'),
      isLast: true
    })
  }
  t.match(cloudinary.assets.find('bulk/b c&d.csv', { resourceType: 'raw', type: 'private' }), {
    assetFolder: 'bulk'
  })
})

t.test('an upload replaces the existing file', async (t) => {
  const { cloudinary, client } = await start(t)
  await uploadRawFile(client, FILE, pieces('1'))
  await uploadRawFile(client, FILE, pieces('2'))
  t.match(cloudinary.assets.find(FILE.publicId, { resourceType: 'raw' }), { content: Buffer.from('2') })
})

t.test('downloads a file in parts and marks the last one', async (t) => {
  const { cloudinary, client } = await start(t)
  const content = 'x'.repeat(500_000)
  cloudinary.as().upload({ ...FILE, resourceType: 'raw', content })
  const parts = await download(client, FILE, 100_000)
  t.equal(parts.join(''), content)
  t.ok(parts.length > 1 && parts.length <= 6, `${parts.length} parts`)
})

t.test('a part at the end of the file is empty and the last', async (t) => {
  const { cloudinary, client } = await start(t)
  cloudinary.as().upload({ ...FILE, resourceType: 'raw', content: '0123' })
  t.strictSame(await downloadPart(client, FILE, { offset: 4, bytes: 10 }), {
    content: Buffer.alloc(0),
    isLast: true
  })
})

t.test('skips the bytes before the part if the server ignores ranges', async (t) => {
  const client = await startWith(t, (_request, response) => response.end('0123456789'))
  const { content, isLast } = await downloadPart(client, FILE, { offset: 4, bytes: 100 })
  t.equal(content.toString(), '456789')
  t.ok(isLast)
})

t.test('a response without a body is an empty file', async (t) => {
  const client = await startWith(t, (_request, response) => response.writeHead(204).end())
  t.strictSame(await downloadPart(client, FILE, { offset: 0, bytes: 100 }), {
    content: Buffer.alloc(0),
    isLast: true
  })
})

t.test("keeps the message of Cloudinary's error", async (t) => {
  const { client } = await start(t)
  await t.rejects(downloadPart(client, FILE, { offset: 0, bytes: 1 }), {
    code: 'CLOUDINARY_NOT_FOUND',
    message: 'download: 404 Resource not found'
  })
  const other = await startWith(t, (_request, response) => response.writeHead(502).end('<html>'))
  await t.rejects(downloadPart(other, FILE, { offset: 0, bytes: 1 }), {
    code: 'CLOUDINARY_UNAVAILABLE',
    message: 'download: 502 Bad Gateway'
  })
  const third = await startWith(t, (_request, response) => response.writeHead(400).end('{}'))
  await t.rejects(downloadPart(third, FILE, { offset: 0, bytes: 1 }), {
    message: 'download: 400 Bad Request'
  })
})

t.test('a broken connection is retryable, with its reason', async (t) => {
  const client = await startWith(t, (request) => request.socket.destroy())
  const error = await downloadPart(client, FILE, { offset: 0, bytes: 1 }).catch((error) => error)
  t.match(error, { code: 'CLOUDINARY_UNREACHABLE', failure: { kind: 'retryable' } })
  t.notMatch(error.message, /fetch failed/)
})

t.test('times out if the server sends nothing', async (t) => {
  const client = await startWith(t, (_request, response) => response.write('0'))
  await t.rejects(downloadPart(client, FILE, { offset: 0, bytes: 10, silenceMs: 50 }), {
    code: 'CLOUDINARY_UNREACHABLE',
    message: /50 ms/
  })
})

t.test('a rejected upload does not wait for the rest of the content', async (t) => {
  const client = await startWith(t, (request, response) => {
    request.resume()
    response.writeHead(500).end('{"error":{"message":"broken"}}')
  })
  async function* unending() {
    yield 'operation,public_id\n'
    await new Promise(() => {})
  }
  await t.rejects(uploadRawFile(client, FILE, unending()), {
    code: 'CLOUDINARY_UNAVAILABLE',
    message: 'upload: 500 broken'
  })
})

t.test('rethrows an error of the content and uploads nothing', async (t) => {
  const { cloudinary, client } = await start(t)
  async function* broken() {
    yield 'a,b\n'
    throw new ListenerError('BROKEN', 'the content broke')
  }
  await t.rejects(uploadRawFile(client, FILE, broken()), { code: 'BROKEN' })
  t.equal(cloudinary.assets.find(FILE.publicId, { resourceType: 'raw' }), undefined)
})
