import { mock } from 'node:test'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { pino } from 'pino'
import { type Test, test } from 'tap'
import type { CloudinaryEnvironment } from '../../../app/credentials/cloudinary-url.ts'
import { Environments, type EnvironmentsOptions } from '../../../app/credentials/environments.ts'
import { fromSecretsManager, fromUrl, type SecretVersions } from '../../../app/credentials/secret-source.ts'
import { checkHeaders, verifySignature } from '../../../app/ingest/signature.ts'
import { serializeError } from '../../../app/logger.ts'
import { signatureHeaders } from '../../../app/testing/sign.ts'
import { startSecretsManager } from '../../../dev/secrets-manager.ts'

const GAP_MS = 30_000

const key = (apiKey: string, cloudName = 'demo'): CloudinaryEnvironment => ({
  cloudName,
  apiKey,
  apiSecret: `secret-of-${apiKey}`
})
const urlOf = ({ apiKey, apiSecret, cloudName }: CloudinaryEnvironment) =>
  `cloudinary://${apiKey}:${apiSecret}@${cloudName}`
const secretOf = (...keys: CloudinaryEnvironment[]) =>
  JSON.stringify(Object.fromEntries(keys.map((each, index) => [`entry ${index}`, urlOf(each)])))
const names = (keys: readonly CloudinaryEnvironment[]) => keys.map(({ apiKey }) => apiKey)

function build(options: Omit<EnvironmentsOptions, 'log' | 'clock'>) {
  const lines: string[] = []
  const log = pino({ serializers: { err: serializeError } }, { write: (line) => void lines.push(line) })
  const time = { now: 0 }
  const environments = new Environments({
    log,
    clock: () => time.now,
    minimumRefreshGapMs: GAP_MS,
    ...options
  })
  const logged = () => lines.map((line) => JSON.parse(line))
  return { environments, time, lines, logged }
}

/** Builds environments on the real AWS SDK, over HTTP. */
async function onSecretsManager(t: Test, ...keys: CloudinaryEnvironment[]) {
  const server = await startSecretsManager({ secrets: { cloudinary: secretOf(...keys) } })
  const client = new SecretsManagerClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1
  })
  t.teardown(async () => {
    client.destroy()
    await server.stop()
  })
  const built = build({ source: fromSecretsManager(client, 'cloudinary', { log: pino({ enabled: false }) }) })
  await built.environments.load()
  const rotate = (...to: CloudinaryEnvironment[]) => server.rotate('cloudinary', secretOf(...to))
  return { ...built, server, rotate }
}

/** Builds environments on a source whose reads the test settles. */
function onLatches() {
  const reads: PromiseWithResolvers<SecretVersions>[] = []
  const source = {
    read() {
      const latch = Promise.withResolvers<SecretVersions>()
      reads.push(latch)
      return latch.promise
    }
  }
  return { ...build({ source }), reads }
}

test('verifies notifications signed with the old and the new key during a rotation', async (t) => {
  const { environments, rotate, time } = await onSecretsManager(t, key('old'))
  const body = Buffer.from('{"notification_type":"upload"}')
  const timestamp = 1_700_000_000

  /** Verifies like the webhook. Returns the API key that verified, or undefined. */
  async function verifiedBy(signer: CloudinaryEnvironment): Promise<string | undefined> {
    const sent = signatureHeaders(body, signer, timestamp)
    const headers = checkHeaders(
      { signature: sent['x-cld-signature'], timestamp: sent['x-cld-timestamp'] },
      { toleranceSeconds: 7200, clock: () => timestamp * 1000 }
    )
    if (headers.outcome === 'refused') throw new Error(headers.reason)
    const verify = () => verifySignature(body, headers, environments.verificationKeys())
    let verdict = verify()
    if (verdict.outcome === 'refused' && (await environments.refreshAfterFailedSignature()))
      verdict = verify()
    return verdict.outcome === 'verified' ? verdict.key.apiKey : undefined
  }

  t.equal(await verifiedBy(key('old')), 'old')
  rotate(key('new'))
  time.now += GAP_MS
  t.equal(await verifiedBy(key('old')), 'old')
  t.equal(await verifiedBy(key('new')), 'new', 'the first one with the new key triggers a refresh')
  t.equal(await verifiedBy(key('old')), 'old', 'one in flight')
  t.equal(await verifiedBy(key('stranger')), undefined)

  rotate(key('newer'))
  time.now += GAP_MS
  t.equal(await verifiedBy(key('newer')), 'newer')
  t.equal(await verifiedBy(key('new')), 'new')
  t.equal(await verifiedBy(key('old')), undefined, 'a key from two rotations ago is not known')
})

test('returns every key once, the current ones first', async (t) => {
  const { environments, rotate } = await onSecretsManager(t, key('a'), key('b'), key('a'), key('a', 'other'))
  t.strictSame(environments.verificationKeys(), [key('a'), key('b'), key('a', 'other')])
  rotate(key('c'), key('b'))
  await environments.refresh('test')
  t.strictSame(environments.verificationKeys(), [key('c'), key('b'), key('a'), key('a', 'other')])
})

test('uses the algorithm of the current value for a key in both values', async (t) => {
  const { environments, server } = await onSecretsManager(t, key('a'))
  server.rotate('cloudinary', `${urlOf(key('a'))}?signature_algorithm=sha256`)
  t.equal(await environments.refresh('test'), undefined)
  t.strictSame(environments.verificationKeys(), [{ ...key('a'), signatureAlgorithm: 'sha256' }])
})

test('calls a cloud with its first current entry', async (t) => {
  const { environments, rotate } = await onSecretsManager(t, key('a'), key('b'), key('x', 'other'))
  t.strictSame(environments.get('demo'), key('a'))
  t.strictSame(environments.get('other'), key('x', 'other'))
  rotate(key('c'), key('a'))
  await environments.refresh('test')
  t.strictSame(environments.get('demo'), key('c'))
  t.throws(() => environments.get('other'), {
    code: 'ENVIRONMENT_UNKNOWN',
    message: /"other" \(known: demo\)\. Add its cloudinary:\/\/ URL/
  })
})

test('knows nothing before the first read', async (t) => {
  const { environments } = onLatches()
  t.strictSame(environments.verificationKeys(), [])
  t.throws(() => environments.get('demo'), { code: 'ENVIRONMENT_UNKNOWN', message: /known: none/ })
  t.equal(environments.isOwnKey('demo', 'a'), false)
})

test('recognizes its own key, current or previous', async (t) => {
  const { environments, rotate } = await onSecretsManager(t, key('a'), key('verifies'))
  t.equal(environments.isOwnKey('demo', 'a'), true)
  t.equal(environments.isOwnKey('demo', 'verifies'), false)
  t.equal(environments.isOwnKey('other', 'a'), false)
  rotate(key('b'), key('a'), key('verifies'))
  await environments.refresh('test')
  t.equal(environments.isOwnKey('demo', 'b'), true)
  t.equal(environments.isOwnKey('demo', 'a'), true)
  t.equal(environments.isOwnKey('demo', 'verifies'), false)
})

test('reads the secret before it takes a new key for another system', async (t) => {
  const { environments, rotate, server, time } = await onSecretsManager(t, key('a'))
  const reads = t.capture(environments, 'refresh', environments.refresh.bind(environments))
  rotate(key('b'), key('a'))
  t.equal(await environments.recognizesKey('demo', 'a'), true)
  t.equal(reads.args().length, 0)
  t.equal(await environments.recognizesKey('demo', 'b'), true, 'another worker uses it already')
  t.equal(reads.args().length, 1)
  server.failWith({ status: 400, code: 'AccessDeniedException' })
  t.equal(await environments.recognizesKey('demo', 'foreign'), false)
  server.failWith(undefined)
  t.equal(await environments.recognizesKey('demo', 'foreign'), false)
  t.equal(reads.args().length, 1, 'no read right after a failed one')
  time.now += GAP_MS
  t.equal(await environments.recognizesKey('demo', 'foreign'), false, 'not known after a failed read')
  t.equal(reads.args().length, 1)
  t.equal(await environments.recognizesKey('demo', 'foreign'), false)
  t.equal(reads.args().length, 0, "no read for a key that is known as another system's")
  rotate(key('foreign'), key('b'))
  t.equal(await environments.recognizesKey('demo', 'foreign'), false)
  time.now += GAP_MS
  t.equal(await environments.recognizesKey('demo', 'foreign'), true, 'it became its own')
  t.equal(reads.args().length, 1)
})

test('forgets keys of other systems rather than keep any number', async (t) => {
  const source = { read: async () => ({ current: [key('a')], previous: [] }) }
  const { environments } = build({ source })
  await environments.load()
  const reads = t.capture(environments, 'refresh', environments.refresh.bind(environments))
  for (let number = 0; number <= 1000; number++) await environments.recognizesKey('demo', `foreign-${number}`)
  t.equal(reads.args().length, 1001)
  await environments.recognizesKey('demo', 'foreign-1000')
  t.equal(reads.args().length, 0)
  await environments.recognizesKey('demo', 'foreign-0')
  t.equal(reads.args().length, 1)
})

test('does not read credentials again that cannot change', async (t) => {
  const { environments } = build({ source: fromUrl(urlOf(key('a'))) })
  await environments.load()
  const reads = t.capture(environments, 'refresh', environments.refresh.bind(environments))
  t.equal(await environments.recognizesKey('demo', 'foreign'), false)
  t.equal(await environments.recognizesKey('demo', 'a'), true)
  t.equal(reads.args().length, 0)
})

test('the first read throws the error of the source', async (t) => {
  const { environments, reads } = onLatches()
  const loading = environments.load()
  reads[0]?.reject(new Error('no secret'))
  await t.rejects(loading, { message: 'no secret' })
})

test('keeps the known keys while the secret cannot be read', async (t) => {
  const { environments, server, logged, time } = await onSecretsManager(t, key('a'))
  server.failWith({ status: 400, code: 'AccessDeniedException' })
  await environments.refresh('test')
  t.strictSame(environments.verificationKeys(), [key('a')])
  t.match(logged(), [{ level: 40, reason: 'test', err: { code: 'SECRET_ACCESS_DENIED' } }])
  time.now += GAP_MS
  t.equal(await environments.refreshAfterFailedSignature(), false)
  t.equal(environments.get('demo').apiKey, 'a')
})

test('logs a change of the keys, without the keys', async (t) => {
  const { environments, rotate, logged, lines } = await onSecretsManager(t, key('a'))
  await environments.refresh('nothing new')
  t.strictSame(logged(), [])
  rotate(key('b'))
  await environments.refresh('test')
  t.match(logged(), [{ level: 30, reason: 'test', clouds: ['demo'], keys: 2 }])
  t.notMatch(lines.join(), 'secret-of')
})

test('concurrent refreshes share one read and one warning', async (t) => {
  const { environments, reads, lines } = onLatches()
  const both = [environments.refresh('one'), environments.refresh('two')]
  t.equal(reads.length, 1)
  reads[0]?.reject(new Error('down'))
  await Promise.all(both)
  t.equal(lines.length, 1)
  const third = environments.refresh('three')
  t.equal(reads.length, 2, 'the next one reads again')
  reads[1]?.resolve({ current: [key('a')], previous: [] })
  await third
  t.strictSame(names(environments.verificationKeys()), ['a'])
})

test('failed signatures cause one read per gap, from the start of the last read', async (t) => {
  const { environments, server, rotate, time } = await onSecretsManager(t, key('a'))
  const reads = () => server.requests / 2 // a read asks for the current and for the previous value
  rotate(key('b'))
  t.equal(await environments.refreshAfterFailedSignature(), false)
  time.now += GAP_MS - 1
  t.equal(await environments.refreshAfterFailedSignature(), false)
  t.equal(reads(), 1, 'the gap after the first read is not over')

  time.now += 1
  t.equal(await environments.refreshAfterFailedSignature(), true)
  t.equal(await environments.refreshAfterFailedSignature(), false)
  t.equal(reads(), 2)

  time.now += GAP_MS
  t.equal(await environments.refreshAfterFailedSignature(), false, 'read again, and nothing has changed')
  t.equal(reads(), 3)
})

test('a failed signature waits for a read in progress', async (t) => {
  const { environments, reads } = onLatches()
  const refreshing = environments.refresh('test')
  const first = environments.refreshAfterFailedSignature()
  const second = environments.refreshAfterFailedSignature()
  t.equal(reads.length, 1)
  reads[0]?.resolve({ current: [key('a')], previous: [] })
  await refreshing
  t.strictSame(await Promise.all([first, second]), [true, true])
})

test('a failed read starts the gap too', async (t) => {
  const { environments, reads, time } = onLatches()
  const refreshing = environments.refresh('test')
  reads[0]?.reject(new Error('down'))
  await refreshing
  time.now += GAP_MS - 1
  t.equal(await environments.refreshAfterFailedSignature(), false)
  t.equal(reads.length, 1)
})

test('reads CLOUDINARY_URL only once', async (t) => {
  const source = fromUrl(urlOf(key('a')))
  let reads = 0
  const read = () => {
    reads += 1
    return source.read()
  }
  const environments = new Environments({ source: { ...source, read }, log: pino({ enabled: false }) })
  await environments.load()
  await environments.refresh('test')
  t.equal(await environments.refreshAfterFailedSignature(), false)
  environments.startBackgroundRefresh()
  environments.stop()
  t.equal(reads, 1)
  t.strictSame(environments.get('demo'), key('a'))
})

test('refreshes at every interval until it is stopped', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const { environments, reads } = onLatches()
  const known: string[][] = []
  environments.startBackgroundRefresh(() => known.push(environments.cloudNames()))
  environments.startBackgroundRefresh()
  mock.timers.tick(299_999)
  t.equal(reads.length, 0)
  mock.timers.tick(1)
  t.equal(reads.length, 1)
  reads[0]?.resolve({ current: [key('a')], previous: [] })
  await environments.refresh('joins the read of the background')
  t.strictSame(names(environments.verificationKeys()), ['a'])

  mock.timers.tick(300_000)
  t.equal(reads.length, 2)
  reads[1]?.reject(new Error('down'))
  await environments.refresh('joins the second')
  t.strictSame(known, [['demo'], ['demo']], 'each callback sees the current keys')
  environments.stop()
  mock.timers.tick(900_000)
  t.equal(reads.length, 2)
})

test('the background refresh does not keep the process alive', async (t) => {
  const { environments } = onLatches()
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  environments.startBackgroundRefresh()
  t.equal(timers(), before)
  environments.stop()
})
