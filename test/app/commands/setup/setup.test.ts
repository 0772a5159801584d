import t, { type Test } from 'tap'
import { CloudinaryClients } from '../../../../app/cloudinary/clients.ts'
import { parseSetup, type SetupArguments, setup } from '../../../../app/commands/setup/setup.ts'
import { parseCloudinaryUrl } from '../../../../app/credentials/cloudinary-url.ts'
import type { Processor } from '../../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'
import { startCloudinary } from '../../../../dev/cloudinary/server.ts'
import { collect } from '../../../support/operator.ts'

/** No server listens there, so test notifications fail. */
const HOOK = 'http://127.0.0.1:1/webhooks/cloudinary'
const OTHER = { cloudName: 'other', apiKey: '5', apiSecret: 'another-secret' }

const PROCESSORS: Processor[] = [
  {
    name: 'stamp',
    on: ['upload', 'rename'],
    metadataFields: [{ external_id: 'stamp', label: 'Stamp', type: 'string' }],
    handle: () => {}
  }
]

/** Runs setup on a Cloudinary with two environments. */
async function build(t: Test) {
  const cloudinary = await startCloudinary({ environments: [LOCAL_CLOUDINARY, OTHER] })
  const get = (cloudName: string) => parseCloudinaryUrl(cloudinary.cloudinaryUrl(cloudName))
  const cloudNames = ['demo', 'other']
  const clients = new CloudinaryClients({
    environments: { get, cloudNames: () => cloudNames }
  })
  t.teardown(async () => {
    clients.close()
    await cloudinary.stop()
  })
  const run = async (options: Partial<SetupArguments> = {}, processors = PROCESSORS) => {
    const { lines, print } = collect()
    const signal = new AbortController().signal
    const exitCode = await setup(
      {
        target: { uri: HOOK, uri_type: 'webhook' },
        environments: undefined,
        prune: false,
        test: false,
        dryRun: false,
        ...options
      },
      { processors, cloudNames, connect: (name) => clients.for(name, signal), print }
    )
    return { exitCode, lines }
  }
  return { cloudinary, run }
}

t.test('parses its options', (t) => {
  const webhook = { uri: HOOK, uri_type: 'webhook' }
  t.strictSame(parseSetup(['--url', HOOK]), {
    target: webhook,
    environments: undefined,
    prune: false,
    test: false,
    dryRun: false
  })
  t.match(parseSetup(['--test'], `${HOOK}/`), { target: { uri: `${HOOK}/` }, test: true })
  t.match(parseSetup(['--dry-run', '--prune', '--environment', 'a', '--environment=b'], HOOK), {
    target: webhook,
    environments: ['a', 'b'],
    prune: true,
    dryRun: true
  })
  t.match(parseSetup(['--poll', 'orders'], HOOK), { target: { uri: 'poll://orders', uri_type: 'poll' } })
  for (const args of [
    [],
    ['--url', HOOK, '--poll', 'orders'],
    ['--poll', 'a/b'],
    ['--poll', ''],
    ['--url', 'example.com'],
    ['--url', 'ftp://example.com'],
    ['--url', 'https://user@example.com'],
    ['--url', 'https://:password@example.com'],
    ['--force']
  ]) {
    t.throws(() => parseSetup(args), { code: 'USAGE' }, args.join(' '))
  }
  const elsewhere = 'https://example.com/webhook/cloudinary'
  const code = 'WEBHOOK_PATH_NOT_SERVED'
  t.throws(() => parseSetup(['--url', elsewhere]), { code, message: /^--url must end with/ })
  t.throws(() => parseSetup([], elsewhere), { code, message: /^WEBHOOK_URL must end with/ })
  t.match(parseSetup(['--poll', 'orders'], elsewhere), { target: { uri: 'poll://orders' } })
  t.end()
})

t.test('creates what is needed in every environment, and changes nothing in a second run', async (t) => {
  const { cloudinary, run } = await build(t)
  const first = await run()
  t.equal(first.exitCode, 0)
  t.strictSame(first.lines, [
    'demo  field    created   stamp (string)',
    `demo  trigger  created   rename → ${HOOK}`,
    `demo  trigger  created   upload → ${HOOK}`,
    `demo  test     sent      test notification → ${HOOK}`,
    'other  field    created   stamp (string)',
    `other  trigger  created   rename → ${HOOK}`,
    `other  trigger  created   upload → ${HOOK}`,
    `other  test     sent      test notification → ${HOOK}`,
    'Created 6, updated 0, removed 0, existing: 0, unused: 0. 0 faults.',
    'Next: upload something to Cloudinary; web then logs "notification accepted".'
  ])
  const triggers = cloudinary.cloud('other').triggers.list()
  t.match(triggers, [{ additive: true }, { additive: true }])
  const second = await run()
  t.equal(second.exitCode, 0)
  t.match(second.lines.at(-2), 'Created 0, updated 0, removed 0, existing: 6')
  t.strictSame(cloudinary.cloud('other').triggers.list(), triggers)
})

t.test('changes nothing in a dry run', async (t) => {
  const { cloudinary, run } = await build(t)
  cloudinary.cloud().triggers.create({ uri: HOOK, event_type: 'eager' }, 0)
  const { exitCode, lines } = await run({ dryRun: true, prune: true, environments: ['demo'] })
  t.equal(exitCode, 0)
  t.strictSame(lines, [
    'demo  field    would create  stamp (string)',
    `demo  trigger  would create  rename → ${HOOK}`,
    `demo  trigger  would create  upload → ${HOOK}`,
    `demo  trigger  would remove  eager → ${HOOK}`,
    'Would create 3, would update 0, would remove 1, existing: 0, unused: 0. 0 faults.',
    'Next: run it without --dry-run.'
  ])
  t.equal(cloudinary.calls.filter(({ method }) => method !== 'GET').length, 0)
})

t.test('reports unused triggers, and removes them with --prune', async (t) => {
  const { cloudinary, run } = await build(t)
  const { triggers } = cloudinary.cloud()
  for (const [uri, event_type] of [
    [HOOK, 'eager'],
    ['https://others.example.com/', 'eager']
  ])
    triggers.create({ uri, event_type }, 0)
  const reported = await run({ environments: ['demo'] })
  t.match(reported.lines.at(-4), /^demo {2}trigger {2}unused .*--prune/)
  t.equal(triggers.list('eager').length, 2)
  const pruned = await run({ environments: ['demo'], prune: true })
  t.match(pruned.lines.at(-2), 'removed 1')
  t.match(triggers.list('eager'), [{ uri: 'https://others.example.com/' }])
})

t.test('keeps unused triggers if their replacement could not be created', async (t) => {
  const { cloudinary, run } = await build(t)
  const { triggers } = cloudinary.cloud()
  for (const event_type of ['upload', 'rename']) triggers.create({ uri: HOOK, event_type, additive: true }, 0)
  cloudinary.faults.add({ kind: 'status', status: 500, action: 'create_trigger' })
  const onAll = [{ ...PROCESSORS[0]!, on: ['*' as const] }]
  const failed = await run({ environments: ['demo'], prune: true }, onAll)
  t.equal(failed.exitCode, 1)
  t.match(failed.lines.slice(1), [
    /^demo {2}trigger {2}fault {5}all → /,
    /^demo {2}trigger {2}kept /,
    /^demo {2}trigger {2}kept /,
    'Created 1, updated 0, removed 0, existing: 0, unused: 2. 1 fault.',
    /^Next: fix/
  ])
  t.equal(triggers.list().length, 2)
  cloudinary.faults.clear()
  const repaired = await run({ environments: ['demo'], prune: true }, onAll)
  t.match(repaired.lines.at(-2), 'Created 1, updated 0, removed 2')
  t.match(triggers.list(), [{ event_type: 'all' }])
})

t.test('supports a poll channel', async (t) => {
  const { cloudinary, run } = await build(t)
  const target = { uri: 'poll://orders', uri_type: 'poll' as const }
  const { lines } = await run({ target, environments: ['demo'] }, [{ ...PROCESSORS[0]!, on: ['*'] }])
  t.match(cloudinary.cloud().triggers.list(), [{ uri: 'poll://orders', uri_type: 'poll', event_type: 'all' }])
  t.match(lines.at(-1), 'POLL_CHANNEL=orders')
})

t.test('continues after a fault, in the same and in other environments', async (t) => {
  const { cloudinary, run } = await build(t)
  cloudinary.cloud().metadataFields.create({ external_id: 'stamp', label: 'Stamp', type: 'date' })
  cloudinary.faults.add({ kind: 'status', status: 401, when: ({ cloud }) => cloud === 'other' })
  const { exitCode, lines } = await run({}, [{ ...PROCESSORS[0]!, on: ['related_assets', 'upload'] }])
  t.equal(exitCode, 1)
  t.match(lines, [
    /^demo {2}field {4}fault {5}stamp \(string\): exists with type date/,
    /^demo {2}trigger {2}fault {5}related_assets → .*: create trigger: 400 /,
    /^demo {2}trigger {2}created {3}upload/,
    /^demo {2}test {5}sent /,
    /^other {2}cloud {4}fault {5}other: .* 401 .*check the secret/,
    '3 faults.',
    /^Next: fix /
  ])
  t.notMatch(lines.join('\n'), 'another-secret')
})

t.test('rejects an environment without credentials before it changes anything', async (t) => {
  const { cloudinary, run } = await build(t)
  await t.rejects(run({ environments: ['demo', 'elsewhere'] }), {
    code: 'ENVIRONMENT_UNKNOWN',
    message: /"elsewhere".*demo, other/
  })
  t.equal(cloudinary.calls.length, 0)
})

t.test('makes triggers additive, and keeps their other settings', async (t) => {
  const { cloudinary, run } = await build(t)
  const { triggers } = cloudinary.cloud()
  const filter = { '==': [{ var: 'resource_type' }, 'image'] }
  const uri = `${HOOK}/`
  triggers.create({ uri, event_type: 'upload', filter, auth_scheme: 'legacy_hmac' }, 0)
  triggers.create({ uri, event_type: 'rename', additive: true }, 0)
  triggers.create({ uri: 'https://others.example.com/', event_type: 'upload' }, 0)
  const options = { environments: ['demo'] }
  t.match((await run({ ...options, dryRun: true })).lines, [
    /field/,
    /^demo {2}trigger {2}exists {8}rename/,
    /^demo {2}trigger {2}would update {2}upload .*additive.*; has a filter/,
    /^Would create 1, would update 1, would remove 0/
  ])
  const { exitCode, lines } = await run(options)
  t.equal(exitCode, 0)
  t.match(lines.at(-2), 'Created 1, updated 1, removed 0')
  t.match(lines.at(-3), /^demo {2}test {5}sent /)
  t.match(triggers.list(), [
    { uri, event_type: 'upload', additive: true, filter, auth_scheme: 'legacy_hmac' },
    { additive: true },
    { additive: false }
  ])
  t.match((await run(options)).lines, [/field/, /exists .*rename/, /exists .*upload.*: has a filter/])
})

t.test('sends a test notification on demand, and succeeds if it cannot be sent', async (t) => {
  const { cloudinary, run } = await build(t)
  const options = { environments: ['demo'], test: true }
  const sent = () => cloudinary.calls.filter(({ action }) => action === 'test_trigger').length
  await run({ ...options, test: false, dryRun: true })
  await run(options)
  await run({ ...options, test: false })
  await run(options)
  t.equal(sent(), 2)
  cloudinary.faults.add({ kind: 'status', status: 404, action: 'test_trigger' })
  const { exitCode, lines } = await run(options)
  t.equal(exitCode, 0)
  t.match(lines.at(-3), /^demo {2}test {5}not sent {2}.*: test trigger: 404 .*; upload something instead$/)
  const nowhere = await run(options, [])
  t.match(nowhere.lines.at(-3), /not sent/)
})

t.test('reports the limit of notification URLs before it creates a trigger', async (t) => {
  const { cloudinary, run } = await build(t)
  const { triggers } = cloudinary.cloud()
  for (let index = 0; index < 30; index += 1)
    triggers.create({ uri: `https://others.example.com/${index}`, event_type: 'upload' }, 0)
  const { exitCode, lines } = await run({ environments: ['demo'] })
  t.equal(exitCode, 1)
  t.match(lines, [
    /field/,
    /fault .*NOTIFICATION_URLS_EXHAUSTED.* 30 /,
    /fault .*NOTIFICATION_URLS_EXHAUSTED/
  ])
  t.equal(cloudinary.calls.filter(({ action }) => action === 'create_trigger').length, 0)
  triggers.delete(triggers.list()[0]!.id)
  t.equal((await run({ environments: ['demo'] })).exitCode, 0)
})
