import t, { type Test } from 'tap'
import {
  parseReconcile,
  type ReconcileOptions,
  reconcile
} from '../../../../app/commands/reconcile/reconcile.ts'
import type { AssetEvent } from '../../../../app/ingest/event.ts'
import { createDynamoDbClient } from '../../../../app/journal/dynamodb.ts'
import { Journal } from '../../../../app/journal/journal.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { startDynamoDb } from '../../../../dev/dynamodb.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { beginAttempt, PATIENT } from '../../../support/journal.ts'
import { collect, eventOf } from '../../../support/operator.ts'

const MINUTE_MS = 60_000

const dynamoDb = await startDynamoDb()
Object.assign(process.env, dynamoDb.environment)
const table = { client: createDynamoDbClient(), tableName: dynamoDb.tableName }
t.teardown(async () => {
  table.client.destroy()
  await dynamoDb.stop()
})

const NOW = Date.parse('2026-06-01T14:00:00.000Z')
const journal = new Journal({ ...table, clock: () => NOW })

/** The asset `bag` was uploaded two hours ago and tagged a minute later, without notifications. */
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
    // both clouds share the stand-in
    clients,
    table,
    state: memoryState().store,
    sender: { store: async (events) => void sent.push(...events) },
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

t.test('parses its options', async (t) => {
  const types = ['upload', 'resource_tags_changed', 'resource_metadata_changed', 'resource_context_changed']
  const parsed = (...args: string[]) => {
    const { kinds, ...rest } = parseReconcile(args)
    return { ...rest, types: kinds.map(({ type }) => type) }
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

t.test('searches each cloud with its own credentials', async (t) => {
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
  t.match(lines.at(-2), '4 changes searched, 4 events missing, 4 sent.')
})

t.test('searches only the selected cloud and types', async (t) => {
  const { run, found } = await build(t)
  t.equal(await run('--environment', 'other', '--type', 'resource_tags_changed'), 0)
  t.strictSame(found(), ['other resource_tags_changed'])
})

t.test('leaves changes within the grace for the next pass', async (t) => {
  const { run, found, lines } = await build(t)
  t.equal(await run('--environment', 'demo', '--grace', '118', '--dry-run'), 0)
  t.strictSame(found(), [])
  t.equal(await run('--environment', 'demo', '--grace', '121'), 0)
  t.strictSame(found(), [])
  t.equal(await run('--environment', 'demo', '--grace', '119'), 0)
  t.strictSame(found(), [], 'the upload waits for the change of tags')
  t.match(lines.join('\n'), /upload: 1 change left for the next pass/)
  t.equal(await run('--environment', 'demo', '--grace', '118'), 0)
  t.strictSame(found(), ['demo upload', 'demo resource_tags_changed'])
})

t.test('does not send events that are in the journal', async (t) => {
  const { run, found, sent } = await build(t)
  await run('--environment', 'demo')
  for (const event of sent.splice(0)) await journal.ignore(event, 'no processor wants it', PATIENT)
  t.equal(await run('--environment', 'demo', '--since', '2026-06-01T11:00:00Z'), 0)
  t.strictSame(found(), [])
})

t.test('searches changes up to the last started event while the queue has messages', async (t) => {
  const passAt = async (time: string, about: Partial<ReconcileOptions> = {}) => {
    const system = await build(t, { waiting: async () => 7, clock: () => Date.parse(time), ...about })
    const since = ['--since', '2026-06-01T11:00:00Z', '--environment', 'third']
    t.equal(await system.run(...since, '--grace', '118'), 0)
    return system
  }
  const begin = (id: string, receivedAt: string) => {
    const at = new Journal({ ...table, clock: () => Date.parse(receivedAt) })
    return beginAttempt(at, eventOf(id, { receivedAt, environment: 'fourth' }))
  }
  const unknown = await passAt('2026-06-02T12:00:00Z')
  t.strictSame(unknown.found(), [], 'the upload waits for the change of tags')
  t.match(unknown.lines[0], /^The queue has messages/)
  t.match(unknown.lines.join('\n'), /third: resource_tags_changed left for the next pass/)

  await begin('0a', '2026-06-01T14:00:00.000Z')
  await begin('0b', '2026-06-02T11:00:00.000Z')
  const known = await passAt('2026-06-02T12:00:00Z')
  t.strictSame(known.found(), ['third upload', 'third resource_tags_changed'])
  t.match(known.lines.join('\n'), /third: upload from .* to 2026-06-02T10:02:00.000Z/)
  t.match(known.lines.join('\n'), /third: resource_tags_changed from .* to 2026-06-01T12:02:00.000Z/)

  const empty = await passAt('2026-06-02T12:00:00Z', { waiting: async () => 0 })
  t.strictSame(empty.found(), ['third upload', 'third resource_tags_changed'])
  t.match(empty.lines.join('\n'), /third: resource_tags_changed from .* to 2026-06-02T10:01:00.000Z/)
})
