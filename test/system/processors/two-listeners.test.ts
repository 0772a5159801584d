import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { CloudinaryClients } from '../../../app/cloudinary/clients.ts'
import { parseCloudinaryUrl } from '../../../app/credentials/cloudinary-url.ts'
import { toEvents } from '../../../app/ingest/notification.ts'
import type { Processor } from '../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { memoryState } from '../../../app/testing/memory-state.ts'
import { runProcessor } from '../../../app/worker/run-processor.ts'
import { selectProcessors } from '../../../app/worker/select-processors.ts'
import {
  type ApiKey,
  type CloudinaryStandIn,
  startCloudinary
} from '../../../dev/cloudinary/cloudinary-server.ts'
import { DEFAULT_CONFIG } from '../../support/config.ts'

type Module = typeof import('../../../app/processors/last-update-timestamp.ts')

const OURS = { apiKey: LOCAL_CLOUDINARY.apiKey, apiSecret: LOCAL_CLOUDINARY.apiSecret }
const THEIRS = { apiKey: '333333333333333', apiSecret: 'secret-of-the-other-listener' }
const THIRD = { apiKey: '444444444444444', apiSecret: 'secret-of-the-third-listener' }
const EDITOR = { apiKey: '555555555555555', apiSecret: 'secret-of-an-editor' }
const FIELDS = ['ours', 'theirs', 'third', 'note', 'published_at']

/** Number of writes at which the test stops a loop. */
const TOO_MANY_WRITES = 100

/**
 * Loads a separate instance of the module, as another process would: it does not know stamps configured here.
 */
const load = async (process: string) =>
  ((await import(`../../../app/processors/last-update-timestamp.ts?${process}`)) as Module)
    .lastUpdateTimestamp

/** A listener with its own key, which handles Cloudinary's deliveries in order. */
function startListener(t: Test, cloudinary: CloudinaryStandIn, key: ApiKey, processors: Processor[]) {
  const environment = parseCloudinaryUrl(cloudinary.cloudinaryUrl('demo', key))
  const clients = new CloudinaryClients({
    environments: { get: () => environment, cloudNames: () => ['demo'] }
  })
  t.teardown(() => clients.close())
  const { store } = memoryState()
  const warnings: { code?: string }[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void warnings.push(JSON.parse(line)) })
  const { signal } = new AbortController()
  let next = 0
  /** Handles the next delivery. Returns false if there is none. */
  const handleNext = async () => {
    const delivery = cloudinary.deliveries[next]
    if (delivery === undefined) return false
    next++
    const context = {
      environment: 'demo',
      isOwnKey: (apiKey: string) => apiKey === key.apiKey,
      receivedAt: new Date(),
      signedAt: Math.floor(delivery.time / 1000)
    }
    for (const event of toEvents(Buffer.from(delivery.body), context)) {
      const selection = selectProcessors(event, processors)
      if (selection.outcome === 'ignored') continue
      for (const processor of selection.processors) {
        const client = (limited: AbortSignal) => clients.for('demo', limited)
        const { outcome } = await runProcessor(processor, event, {
          cloudinary: client,
          config: DEFAULT_CONFIG,
          log,
          signal,
          state: store
        })
        t.equal(outcome, 'succeeded')
      }
    }
    return true
  }
  return { handleNext, warnings, key }
}

async function build(t: Test, ...listeners: [ApiKey, Processor[]][]) {
  const sink = createServer((_request, response) => void response.end())
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  const cloudinary = await startCloudinary({
    environments: [{ ...LOCAL_CLOUDINARY, foreignKeys: [EDITOR, THEIRS, THIRD] }],
    notificationUrl: `http://127.0.0.1:${(sink.address() as AddressInfo).port}`
  })
  t.teardown(async () => {
    await cloudinary.stop()
    sink.closeAllConnections()
    sink.close()
  })
  for (const external_id of FIELDS) {
    cloudinary.cloud().metadataFields.create({ external_id, label: external_id, type: 'string' })
  }
  const started = listeners.map(([key, processors]) => startListener(t, cloudinary, key, processors))
  const writes = (apiKey?: string) =>
    cloudinary.calls.filter((call) => call.action === 'metadata' && (!apiKey || call.apiKey === apiKey))
      .length
  /** Handles deliveries until there are none. */
  const settle = async (lag: 'together' | 'in turns' = 'together') => {
    for (let isBusy = true; isBusy && writes() < TOO_MANY_WRITES; ) {
      await cloudinary.idle()
      isBusy = false
      for (const { handleNext } of started) {
        while (await handleNext()) {
          isBusy = true
          if (lag === 'together') break
        }
      }
    }
  }
  const metadata = () => cloudinary.assets.find('bag')!.metadata as Record<string, string>
  return { cloudinary, started, writes, settle, metadata, editor: cloudinary.as(EDITOR.apiKey) }
}

for (const lag of ['together', 'in turns'] as const) {
  t.test(`two listeners that stamp each other's stamps stop and warn once (${lag})`, async (t) => {
    const [one, two] = [await load('one'), await load('two')]
    const { started, writes, settle, metadata, editor } = await build(
      t,
      [OURS, [one({ field: 'ours' })]],
      [THEIRS, [two({ field: 'theirs' })]]
    )
    editor.upload({ publicId: 'bag', resourceType: 'image' })
    await settle(lag)
    t.ok(writes() <= 12, `${writes()} writes`)
    for (let edit = 1; edit <= 3; edit++) {
      const [before, { ours, theirs }] = [writes(), metadata()]
      editor.setMetadata('bag', { note: `edit ${edit}` })
      await settle(lag)
      t.ok(writes() - before <= 6, `${writes() - before} writes`)
      t.ok(metadata().ours! > ours!, 'a real edit is stamped')
      t.ok(metadata().theirs! > theirs!, 'by both')
    }
    const codes = started.map(({ warnings }) => warnings.map(({ code }) => code))
    t.ok(codes.flat().length >= 1)
    t.ok(
      codes.every((said) => said.length <= 1),
      'each warns once'
    )
    t.ok(codes.flat().every((code) => code === 'STAMP_LOOP'))
  })
}

t.test('three listeners stop too', async (t) => {
  const { writes, settle, editor } = await build(
    t,
    [OURS, [(await load('one'))({ field: 'ours' })]],
    [THEIRS, [(await load('two'))({ field: 'theirs' })]],
    [THIRD, [(await load('three'))({ field: 'third' })]]
  )
  editor.upload({ publicId: 'bag', resourceType: 'image' })
  await settle()
  t.ok(writes() < 60, `${writes()} writes`)
  const before = writes()
  editor.setMetadata('bag', { note: 'edit' })
  await settle()
  t.ok(writes() - before <= 15, `${writes() - before} writes`)
})

t.test('a listener never reacts to a stamp in `ignore`', async (t) => {
  const { started, writes, settle, editor } = await build(
    t,
    [OURS, [(await load('one'))({ field: 'ours', ignore: ['theirs'] })]],
    [THEIRS, [(await load('two'))({ field: 'theirs' })]]
  )
  editor.upload({ publicId: 'bag', resourceType: 'image' })
  await settle()
  t.equal(writes(OURS.apiKey), 1)
  t.equal(writes(THEIRS.apiKey), 2, 'for the upload and for our stamp')
  t.strictSame(started[0]!.warnings, [])
})

t.test('stamps an editor who sets only a time, each time', async (t) => {
  const { started, writes, settle, metadata, editor } = await build(t, [
    OURS,
    [(await load('one'))({ field: 'ours' })]
  ])
  editor.upload({ publicId: 'bag', resourceType: 'image' })
  await settle()
  for (let edit = 1; edit <= 8; edit++) {
    const { ours } = metadata()
    const published_at = new Date(Date.now() - 60_000 * edit).toISOString()
    editor.setMetadata('bag', { published_at })
    await settle()
    t.ok(metadata().ours! > ours!, published_at)
  }
  t.equal(writes(), 9)
  t.strictSame(started[0]!.warnings, [])
})
