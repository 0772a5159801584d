import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { runCommand } from '../../../app/commands/command.ts'
import { COMMANDS } from '../../../app/commands/commands.ts'
import { readConfig } from '../../../app/config.ts'
import { databaseSync } from '../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { startProcessors } from '../../../app/worker/processor-lifecycle.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { buildListener } from '../../support/listener.ts'
import { collect, QUIET } from '../../support/operator.ts'
import { database, postgres } from './shared-postgres.ts'

// starts a whole system, perhaps on a busy machine
t.setTimeout(180_000)

const columns = { cms_id: 'metadata.cms_id', alt: 'context.alt', duration: false } as const
const { DATABASE_URL } = postgres.environment as { DATABASE_URL: string }

t.test('a worker does not start before the database is migrated', async (t) => {
  Object.assign(process.env, { DATABASE_URL })
  const starting = startProcessors([databaseSync({ columns })], { config: readConfig(), log: QUIET })
  await t.rejects(starting, { code: 'DATABASE_NOT_MIGRATED' })
})

t.test('`migrate` creates the table once', async (t) => {
  const directory = t.testdir({
    'listener.config.ts': `
      import { databaseSync, defineListener } from '${process.cwd()}/app/listener.ts'
      export default defineListener({ processors: [databaseSync({ columns: ${JSON.stringify(columns)} })] })`
  })
  Object.assign(process.env, { LISTENER_CONFIG: `${directory}/listener.config.ts` })
  for (const said of [/^database-sync: created table "cloudinary_assets"/, /is up to date$/]) {
    const { lines, print } = collect()
    const output = { print, printError: print, closed: new AbortController().signal }
    t.equal(await runCommand(await COMMANDS.migrate!.load(), [], output), 0)
    t.match(lines[0], said)
  }
})

t.test('the table follows Cloudinary', async (t) => {
  const system = await buildListener(t, [databaseSync({ columns })], { environment: { DATABASE_URL } })
  const { cloudinary, lines, atRest, sqs, webhookUrl } = system
  const rows = (where = 'true') =>
    database.query('look', `SELECT * FROM cloudinary_assets WHERE ${where} ORDER BY asset_id`)

  /** Checks that the table has exactly one row per asset, with Cloudinary's values. */
  async function matchesCloudinary(t: Test) {
    const assets = cloudinary.assets.all().map((asset) => ({
      asset_id: asset.assetId,
      environment: LOCAL_CLOUDINARY.cloudName,
      public_id: asset.publicId,
      resource_type: asset.resourceType,
      type: asset.type,
      version: String(asset.version),
      tags: asset.tags,
      metadata: asset.metadata,
      context: asset.context,
      cms_id: asset.metadata.cms_id ?? null,
      alt: asset.context.alt ?? null
    }))
    const byId = assets.toSorted((a, b) => (a.asset_id < b.asset_id ? -1 : 1))
    const found = await rows()
    t.match(found, byId)
    t.equal(found.length, byId.length)
  }

  await t.test('after an upload, changes, renames and a deletion', async (t) => {
    cloudinary.as().upload({
      publicId: 'bag',
      resourceType: 'video',
      tags: ['new'],
      context: { alt: 'A bag' },
      metadata: { cms_id: 'c1' },
      assetFolder: 'shop'
    })
    await atRest()
    const [first] = await rows()
    t.match(first, { public_id: 'bag', cms_id: 'c1', alt: 'A bag', asset_folder: 'shop' })
    await matchesCloudinary(t)

    const kind = { resourceType: 'video' }
    cloudinary.as().addTags('bag', ['sale'], kind)
    cloudinary.ui().setMetadata('bag', { cms_id: 'c2' }, kind)
    cloudinary.as().changeContext('bag', (context) => ({ ...context, alt: 'A red bag' }), kind)
    await atRest()
    const [changed] = await rows()
    t.match(changed, { tags: ['new', 'sale'], cms_id: 'c2', alt: 'A red bag' })
    t.ok((changed?.observed_at as Date) > (first?.observed_at as Date))

    cloudinary.as().rename('bag', 'sack', kind)
    await atRest()
    t.match(await rows(), [{ asset_id: first?.asset_id, public_id: 'sack', tags: ['new', 'sale'] }])
    cloudinary.as().rename('sack', 'sack', { ...kind, toType: 'private' })
    await atRest()
    t.match(await rows(), [{ asset_id: first?.asset_id, type: 'private' }])
    await matchesCloudinary(t)

    cloudinary.as().destroy('sack', { ...kind, type: 'private' })
    await atRest()
    t.strictSame(await rows(), [])
  })

  await t.test("after a change with the listener's own key", async (t) => {
    cloudinary.as().upload({ publicId: 'own' })
    cloudinary.as(LOCAL_CLOUDINARY.apiKey).addTags('own', ['by us'])
    await atRest()
    t.match(await rows(), [{ tags: ['by us'] }])
  })

  await t.test('after a name is overwritten or reused', async (t) => {
    cloudinary.as().upload({ publicId: 'old', tags: ['old'] })
    cloudinary.as().upload({ publicId: 'new', tags: ['new'] })
    await atRest()
    cloudinary.as().rename('new', 'old', { overwrite: true })
    await atRest()
    t.match(await rows("public_id IN ('old', 'new')"), [{ public_id: 'old', tags: ['new'] }])
    cloudinary.as().destroy('old')
    cloudinary.as().upload({ publicId: 'old', tags: ['newest'] })
    await atRest()
    await matchesCloudinary(t)
  })

  await t.test('after late, shuffled and repeated notifications', async (t) => {
    const held = await collectNotifications(t)
    cloudinary.setNotificationUrl(held.url)
    const names = ['one', 'two', 'three']
    for (const publicId of names) cloudinary.as().upload({ publicId, tags: [publicId] })
    cloudinary.as().addTags(names, ['all'])
    cloudinary.as().rename('one', 'four')
    cloudinary.as().setMetadata('four', { cms_id: 'c4' })
    cloudinary.as().destroy('two')
    cloudinary.as().upload({ publicId: 'two', tags: ['again'] })
    cloudinary.as().rename('three', 'four', { overwrite: true })
    await cloudinary.idle()
    cloudinary.setNotificationUrl(webhookUrl)

    const twice = [...held.notifications, ...held.notifications]
    const [shuffled] = fc.sample(fc.shuffledSubarray(twice, { minLength: twice.length }), 1)
    t.equal(shuffled?.length, 18)
    for (const { body, headers } of shuffled!) {
      const answer = await fetch(webhookUrl, { method: 'POST', body, headers })
      t.equal(answer.status, 200)
    }
    await atRest()
    await matchesCloudinary(t)
  })

  await t.test('after a database outage, during which events wait', async (t) => {
    await postgres.down()
    const before = lines.length
    cloudinary.as().upload({ publicId: 'patient', tags: ['waits'] })
    cloudinary.as().addTags('own', ['meanwhile'])
    cloudinary.as().destroy('four')
    const failed = () => lines.slice(before).filter(({ msg }) => /^event failed/.test(String(msg)))
    await system.logged(() => failed().length >= 3)
    t.match(failed()[0], { processor: 'database-sync', err: { code: 'DATABASE_UNAVAILABLE' } })
    await postgres.up()
    await atRest()
    await matchesCloudinary(t)
    t.match(await rows("public_id = 'patient'"), [{ tags: ['waits'] }])
    t.strictSame(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)!.messages.ready, [])
  })

  await t.test('after a deployment', async (t) => {
    await system.restartWorker()
    cloudinary.as().addTags('patient', ['deployed'])
    await atRest()
    await matchesCloudinary(t)
  })
})

/** Starts a server that records notifications. */
async function collectNotifications(t: Test) {
  const notifications: { body: Buffer<ArrayBuffer>; headers: Record<string, string> }[] = []
  const pick = (headers: IncomingHttpHeaders) =>
    Object.fromEntries(
      Object.entries(headers).filter(([name]) => /^x-cld-|^content-type$/.test(name))
    ) as Record<string, string>
  const server = createServer(async (request, response) => {
    notifications.push({ body: Buffer.from(await buffer(request)), headers: pick(request.headers) })
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, notifications }
}
