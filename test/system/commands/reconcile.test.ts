import { ChangeMessageVisibilityCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import t from 'tap'
import { helloWorldTag, lastUpdateTimestamp, type Processor } from '../../../app/listener.ts'
import { runHere } from '../../support/commands.ts'
import { buildListener } from '../../support/listener.ts'
import { aTwentieth, loseAndFind } from '../reconcile/lose-and-find.ts'
import { buildReconcile, HOUR_MS } from '../reconcile/run-reconcile.ts'

const MINUTE_MS = 60_000

t.test('finds each of 3 lost notifications once, and each event runs once', async (t) => {
  const { told, lost, missing, lostDeliveries, found, first, second, runs, system } = await loseAndFind(
    t,
    60,
    aTwentieth('dropped')
  )
  t.equal(told.length, 60)
  t.equal(lost.length, 3)
  t.strictSame(missing, lost)
  t.strictSame(found, lost)
  t.equal(first.exitCode, 0)
  t.match(first.lines.at(-2), '3 events missing, 3 sent.')
  t.strictSame(second.sent, [])
  t.match(second.lines.at(-1), '0 events missing, 0 sent.')
  t.strictSame(
    [...runs].filter(([, times]) => times !== 1),
    []
  )
  t.strictSame([...runs.keys()].sort(), told.toSorted())

  await t.test('a late notification of a reconciled upload is a duplicate', async (t) => {
    const uploads = lostDeliveries.filter(({ notificationType }) => notificationType === 'upload')
    t.not(uploads.length, 0)
    for (const { body } of uploads) t.match(await system.cloudinary.notify(body), { outcome: 'delivered' })
    await system.atRest()
    t.strictSame(
      [...runs].filter(([, times]) => times !== 1),
      []
    )
  })
})

t.test('an asset that lost all notifications gets its events in order', async (t) => {
  const ofOne = (told: readonly string[]) => told.filter((name) => name.endsWith(' asset-0'))
  const { lost, found, first, second, runs } = await loseAndFind(t, 10, ofOne)
  t.equal(lost.length, 4)
  t.strictSame(found, lost)
  t.strictSame(
    first.sent.map(({ type }) => type),
    ['upload', 'resource_tags_changed', 'resource_metadata_changed', 'resource_context_changed']
  )
  t.strictSame(second.sent, [])
  t.strictSame(
    [...runs.keys()].filter((name) => name.endsWith(' asset-0')),
    first.sent.map(({ type }) => `${type} asset-0`)
  )
  t.strictSame(new Set(runs.values()), new Set([1]))
})

t.test('leaves an upload while a later change of its asset is within the grace', async (t) => {
  const ran: string[] = []
  const counter: Processor = { name: 'counter', on: ['*'], handle: ({ type }) => void ran.push(type) }
  let ahead = -20 * MINUTE_MS
  const system = await buildListener(t, [helloWorldTag(), counter], {
    cloudinary: { clock: () => Date.now() + ahead }
  })
  const { cloudinary, atRest } = system
  const reconcile = buildReconcile(t, system)
  cloudinary.drops.add({})
  cloudinary.as().upload({ publicId: 'bag', resourceType: 'image' })
  ahead = -10 * MINUTE_MS
  cloudinary.ui().addTags('bag', ['summer'])
  await cloudinary.idle()
  cloudinary.drops.clear()
  ahead = 0
  const { sent, lines } = await reconcile(['--grace', '15'])
  t.strictSame(sent, [])
  t.ok(lines.some((line) => line.includes('upload: 1 change left for the next pass')))
  const next = await reconcile(['--grace', '5'])
  await atRest()
  t.strictSame(
    next.sent.map(({ type }) => type),
    ['upload', 'resource_tags_changed']
  )
  t.strictSame(ran, ['upload', 'resource_tags_changed'])
})

t.test('does not send a change again that is hidden in the queue', async (t) => {
  const ran: string[] = []
  let ahead = -10 * MINUTE_MS
  const counter: Processor = { name: 'counter', on: ['*'], handle: ({ type }) => void ran.push(type) }
  const system = await buildListener(t, [counter], { cloudinary: { clock: () => Date.now() + ahead } })
  const { cloudinary, atRest, sqs } = system
  cloudinary.as().upload({ publicId: 'bag', resourceType: 'image' })
  await atRest()
  await system.stopWorker()
  ahead = -5 * MINUTE_MS
  cloudinary.ui().addTags('bag', ['summer'])
  await cloudinary.idle()
  const client = new SQSClient()
  t.teardown(() => client.destroy())
  const { Messages } = await client.send(
    new ReceiveMessageCommand({ QueueUrl: sqs.queueUrl, VisibilityTimeout: 600, WaitTimeSeconds: 1 })
  )
  t.equal(Messages?.length, 1)
  const reconcile = buildReconcile(t, system)
  t.strictSame((await reconcile(['--grace', '0'])).sent, [])
  await client.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: sqs.queueUrl,
      ReceiptHandle: Messages![0]!.ReceiptHandle,
      VisibilityTimeout: 0
    })
  )
  await system.startWorker()
  await atRest()
  t.strictSame((await reconcile(['--grace', '0'])).sent, [])
  t.strictSame(ran, ['upload', 'resource_tags_changed'])
})

t.test('does not send a change again that waits behind an event of its asset', async (t) => {
  let ahead = -10 * MINUTE_MS
  const gate = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const runs: string[] = []
  const slow: Processor = {
    name: 'slow',
    on: ['upload', 'resource_tags_changed'],
    async handle({ type, asset }) {
      runs.push(`${asset?.publicId} ${type}`)
      if (asset?.publicId !== 'slow' || type !== 'upload') return
      reached.resolve()
      await gate.promise
    }
  }
  const system = await buildListener(t, [slow], { cloudinary: { clock: () => Date.now() + ahead } })
  const { cloudinary, atRest, logged } = system
  const reconcile = buildReconcile(t, system)
  const since = ['--since', new Date(Date.now() - HOUR_MS).toISOString(), '--grace', '0']
  cloudinary.as().upload({ publicId: 'slow', resourceType: 'image' })
  await reached.promise
  ahead = -9 * MINUTE_MS
  cloudinary.ui().addTags('slow', ['sale'])
  await cloudinary.idle()
  cloudinary.as().upload({ publicId: 'quick', resourceType: 'image' })
  await logged(({ msg, asset }) => msg === 'event processed' && asset === 'quick')

  // as if SQS did not count the message yet
  const { sent, lines } = await reconcile(since, { waiting: async () => 0 })
  t.strictSame(sent, [])
  t.ok(lines.some((line) => line.includes('resource_tags_changed: 1 change left for the next pass')))
  gate.resolve()
  await atRest()
  const after = await reconcile(since)
  t.strictSame(after.sent, [])
  t.notOk(after.lines.some((line) => line.includes('left for the next pass')))
  t.strictSame(runs, ['slow upload', 'quick upload', 'slow resource_tags_changed'])
})

t.test('with the built-in processors', async (t) => {
  let ahead = -10 * MINUTE_MS
  // delays the other processors until Cloudinary's clock has advanced
  let gate = Promise.resolve()
  const wait: Processor = { name: 'wait', on: ['*'], handle: () => gate }
  const processors = [wait, helloWorldTag(), lastUpdateTimestamp()]
  const system = await buildListener(t, processors, { cloudinary: { clock: () => Date.now() + ahead } })
  const { cloudinary, atRest, lines } = system
  const own = cloudinary.cloud().own.apiKey
  const reconcile = buildReconcile(t, system, { clock: () => Date.now() + HOUR_MS })
  const since = ['--since', new Date(Date.now() - HOUR_MS).toISOString()]
  const stampOf = (publicId: string) =>
    String(cloudinary.assets.find(publicId)?.metadata.last_update_timestamp)

  /** Uploads an asset dated ten minutes ago, which is tagged and stamped now. */
  const upload = async (publicId: string) => {
    const opened = Promise.withResolvers<void>()
    gate = opened.promise
    ahead = -10 * MINUTE_MS
    cloudinary.as().upload({ publicId, resourceType: 'image' })
    await cloudinary.idle()
    ahead = 0
    opened.resolve()
    await atRest()
  }

  await t.test('missing notifications of own changes trigger nothing', async (t) => {
    cloudinary.drops.add({
      when: ({ body }) => JSON.parse(body).notification_context.triggered_by.id === own
    })
    await upload('own')
    cloudinary.drops.clear()
    t.strictSame(cloudinary.assets.find('own')?.tags, ['Hello World!'])
    const stamp = stampOf('own')
    const { sent } = await reconcile([])
    await atRest()
    t.match(sent, [
      { type: 'resource_tags_changed', publicId: 'own', own: true },
      { type: 'resource_metadata_changed', publicId: 'own', own: true }
    ])
    t.equal(stampOf('own'), stamp)
    t.match(
      lines.filter(({ msg, eventId }) => msg === 'event ignored' && sent.some(({ id }) => id === eventId)),
      [{ reason: /own key/ }, { reason: /own key/ }]
    )
    t.strictSame((await reconcile(since)).sent, [])
  })

  await t.test("a missing notification of an editor's change stamps the asset", async (t) => {
    await upload('edited')
    ahead = 2 * MINUTE_MS
    cloudinary.drops.add({ notificationType: 'resource_metadata_changed', count: 1 })
    cloudinary.ui().setMetadata('edited', { cms_id: 'article-7' })
    const editedAt = cloudinary.assets.find('edited')!.lastUpdated.metadataUpdatedAt!
    await cloudinary.idle()
    const { sent } = await reconcile(since)
    t.match(sent, [{ type: 'resource_metadata_changed', publicId: 'edited', own: false }])
    ahead = 0
    await atRest()
    t.equal(Date.parse(stampOf('edited')), Math.floor(editedAt / 1000) * 1000)
    t.strictSame((await reconcile(since)).sent, [])
  })

  await t.test(
    'without metadata notifications and with clock skew, each change is stamped once',
    async (t) => {
      await upload('unheard')
      cloudinary.drops.add({ notificationType: 'resource_metadata_changed' })
      ahead = MINUTE_MS
      cloudinary.ui().setMetadata('unheard', { cms_id: 'article-8' })
      await cloudinary.idle()
      const passes: number[] = []
      const stamps = new Set<string>()
      for (let pass = 0; pass < 4; pass++) {
        // Cloudinary's times are in seconds, so distinct changes need distinct seconds
        ahead += 5000
        passes.push((await reconcile([...since, '--type', 'resource_metadata_changed'])).sent.length)
        await atRest()
        stamps.add(stampOf('unheard'))
      }
      cloudinary.drops.clear()
      t.strictSame(passes, [1, 1, 0, 0], 'the change, the stamp, then nothing')
      t.equal(stamps.size, 1)
    }
  )

  await t.test('a dry run sends nothing; the command does', async (t) => {
    cloudinary.drops.add({ notificationType: 'upload', count: 1 })
    ahead = -10 * MINUTE_MS
    cloudinary.as().upload({ publicId: 'unsent', resourceType: 'image' })
    await cloudinary.idle()
    const args = [...since, '--grace', '5', '--type', 'upload']
    const dry = await reconcile([...args, '--dry-run'], { clock: Date.now })
    t.match(dry, { exitCode: 0, sent: [{ type: 'upload', publicId: 'unsent' }] })
    t.match(dry.lines.at(-2), '1 event missing, nothing was sent.')
    await atRest()
    t.strictSame(cloudinary.assets.find('unsent')?.tags, [])
    const { exitCode, output } = await runHere('reconcile', ...args)
    t.equal(exitCode, 0)
    t.match(output.at(-2), '1 event missing, 1 sent.')
    await atRest()
    t.strictSame(cloudinary.assets.find('unsent')?.tags, ['Hello World!'])
  })
})
