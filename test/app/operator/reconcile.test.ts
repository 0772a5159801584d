import t, { type Test } from 'tap'
import type { AssetEvent } from '../../../app/cloudinary/event.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal } from '../../../app/journal/journal.ts'
import { parseReconcile, type ReconcileOptions, reconcile } from '../../../app/operator/reconcile.ts'
import { LOCAL_CLOUDINARY } from '../../../dev/defaults.ts'
import { startDynamoDb } from '../../../dev/dynamodb.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'
import { collect, eventOf, QUIET } from '../../support/operator.ts'
import { memoryState } from '../../support/state.ts'

const MINUTE_MS = 60_000

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const table = { client: createDynamoDbClient(), tableName: dynamoDb.tableName }
t.teardown(async () => {
  table.client.destroy()
  await dynamoDb.stop()
})

const NOW = Date.parse('2026-06-01T14:00:00.000Z')
const journal = new Journal({ ...table, log: QUIET, clock: () => NOW })

/** An asset, `bag`, was uploaded two hours ago, and tagged a minute later; nothing was notified. */
async function build(t: Test, changes: Partial<ReconcileOptions> = {}) {
  let now = NOW - 120 * MINUTE_MS
  const { cloudinary, clients } = await buildCloudinary(t, {}, { clock: () => now })
  now += MINUTE_MS
  cloudinary.ui().addTags('bag', ['summer'])
  now = NOW
  const sent: AssetEvent[] = []
  const { lines, print } = collect()
  const options: ReconcileOptions = {
    environments: {
      cloudNames: () => ['demo', 'other'],
      get: (cloudName) => ({ ...LOCAL_CLOUDINARY, cloudName }),
      isOwnKey: (cloudName, key) => cloudName === 'demo' && key === LOCAL_CLOUDINARY.apiKey
    },
    // both are the same to search
    clients,
    table,
    state: memoryState().store,
    outbox: { store: async (events) => void sent.push(...events) },
    waiting: async () => 0,
    print,
    signal: new AbortController().signal,
    clock: () => now,
    ...changes
  }
  return {
    sent,
    lines,
    run: (...args: string[]) => reconcile(parseReconcile(args), options),
    found: () => sent.map(({ type, environment }) => `${environment} ${type}`)
  }
}

t.test('options', async (t) => {
  const types = ['upload', 'resource_tags_changed', 'resource_metadata_changed', 'resource_context_changed']
  const parsed = (...args: string[]) => {
    const { sides, ...rest } = parseReconcile(args)
    return { ...rest, types: sides.map(({ type }) => type) }
  }
  const byDefault = { since: undefined, cloudNames: undefined, graceMs: 45 * MINUTE_MS, dryRun: false }
  t.strictSame(parsed(), { ...byDefault, types })
  t.strictSame(
    parsed(
      ...['--since', '2026-06-01T12:00:00Z', '--type', 'resource_tags_changed', '--type', 'upload'],
      ...['--environment', 'a', '--environment', 'b', '--grace', '0', '--dry-run']
    ),
    {
      since: Date.parse('2026-06-01T12:00:00Z'),
      cloudNames: ['a', 'b'],
      graceMs: 0,
      dryRun: true,
      types: ['upload', 'resource_tags_changed']
    }
  )
  const refused = { code: 'USAGE' }
  for (const grace of ['', '-1', '1.5', 'x', '1000000']) t.throws(() => parsed(`--grace=${grace}`), refused)
  t.throws(() => parsed('--since', 'yesterday'), { ...refused, message: /--since "yesterday"/ })
  t.throws(() => parsed('--type', 'delete'), { ...refused, message: /--type "delete"/ })
  t.throws(() => parsed('--bogus'), refused)
  t.throws(() => parsed('bogus'), refused)
})

t.test('each cloud is looked at, with what is its own', async (t) => {
  const { run, found, sent, lines } = await build(t)
  t.equal(await run(), 0)
  t.strictSame(found(), [
    'demo upload',
    'demo resource_tags_changed',
    'other upload',
    'other resource_tags_changed'
  ])
  t.equal(new Set(sent.map(({ id }) => id)).size, 4)
  t.match(sent[0], { receivedAt: '2026-06-01T14:00:00.000Z', reconciled: true })
  t.match(lines.at(-2), '4 changes looked at, 4 events missing, 4 sent.')
})

t.test('only the cloud, and only the types, that are asked for', async (t) => {
  const { run, found } = await build(t)
  t.equal(await run('--environment', 'other', '--type', 'resource_tags_changed'), 0)
  t.strictSame(found(), ['other resource_tags_changed'])
})

t.test('what is younger than the grace is left for the next pass', async (t) => {
  const { run, found } = await build(t)
  t.equal(await run('--environment', 'demo', '--grace', '120', '--dry-run'), 0)
  t.strictSame(found(), [])
  t.equal(await run('--environment', 'demo', '--grace', '120'), 0)
  t.strictSame(found(), ['demo upload'])
  t.equal(await run('--environment', 'demo', '--grace', '119'), 0)
  t.match(found(), ['demo upload', 'demo upload', 'demo resource_tags_changed'])
})

t.test('what the journal has is not missing', async (t) => {
  const { run, found, sent } = await build(t)
  await run('--environment', 'demo')
  for (const event of sent.splice(0)) await journal.ignore(event, 'no processor wants it')
  t.equal(await run('--environment', 'demo', '--since', '2026-06-01T11:00:00Z'), 0)
  t.strictSame(found(), [])
})

t.test(
  'while events wait in the queue, changes are told apart up to the newest that was begun',
  async (t) => {
    const passAt = async (time: string) => {
      const system = await build(t, { waiting: async () => 7, clock: () => Date.parse(time) })
      const since = ['--since', '2026-06-01T11:00:00Z', '--environment', 'third']
      t.equal(await system.run(...since, '--grace', '120'), 0)
      return system
    }
    const receivedAt = '2026-06-01T14:00:00.000Z'
    await journal.ignore(eventOf('0a', { receivedAt, environment: 'fourth' }), 'no processor wants it')
    const soon = await passAt('2026-06-02T12:00:00Z')
    t.strictSame(soon.found(), ['third upload'], 'the change is younger, by what was begun')
    t.match(soon.lines[0], `what was received after ${receivedAt} cannot be told from what is missing`)
    t.match(soon.lines[1], /third: upload from .* to 2026-06-02T10:00:00.000Z/)
    t.match(soon.lines[4], /third: resource_tags_changed from .* to 2026-06-01T12:00:00.000Z/)

    const late = await passAt('2026-06-10T12:00:00Z')
    t.strictSame(late.found(), ['third upload'])
    t.match(
      late.lines[0],
      'Events wait in the queue: changes cannot be told from what is missing, uploads apart.'
    )
    t.match(late.lines.join('\n'), /third: resource_tags_changed left out/)
  }
)

t.test('a cloud without credentials is refused', async (t) => {
  const { run } = await build(t, {
    environments: {
      cloudNames: () => [],
      get: () => {
        throw Object.assign(new Error(), { code: 'ENVIRONMENT_UNKNOWN' })
      },
      isOwnKey: () => false
    }
  })
  await t.rejects(run('--environment', 'nowhere'), { code: 'ENVIRONMENT_UNKNOWN' })
})
