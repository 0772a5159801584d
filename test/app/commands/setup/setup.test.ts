import t, { type Test } from 'tap'
import { CloudinaryClients } from '../../../../app/cloudinary/clients.ts'
import { parseSetup, type Setup, setup } from '../../../../app/commands/setup/setup.ts'
import { parseCloudinaryUrl } from '../../../../app/credentials/cloudinary-url.ts'
import type { Processor } from '../../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'
import { startCloudinary } from '../../../../dev/cloudinary/cloudinary-server.ts'
import { collect } from '../../../support/operator.ts'

/** Nobody listens there: test notifications go nowhere. */
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

/** Runs setup on a Cloudinary with two environments, and gives what it printed. */
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
  const run = async (options: Partial<Setup> = {}, processors = PROCESSORS) => {
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

t.test('options', (t) => {
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

t.test('what is needed is created in every environment; a second run changes nothing', async (t) => {
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
    'Created 6, updated 0, removed 0, there already: 0, needless: 0. 0 faults.',
    'Next: upload something to Cloudinary; the log of web then has "notification accepted".'
  ])
  const triggers = cloudinary.cloud('other').triggers.list()
  t.match(triggers, [{ additive: true }, { additive: true }])
  const second = await run()
  t.equal(second.exitCode, 0)
  t.match(second.lines.at(-2), 'Created 0, updated 0, removed 0, there already: 6')
  t.strictSame(cloudinary.cloud('other').triggers.list(), triggers)
})

t.test('a dry run tells what would be done, and does nothing', async (t) => {
  const { cloudinary, run } = await build(t)
  cloudinary.cloud().triggers.create({ uri: HOOK, event_type: 'eager' }, 0)
  const { exitCode, lines } = await run({ dryRun: true, prune: true, environments: ['demo'] })
  t.equal(exitCode, 0)
  t.strictSame(lines, [
    'demo  field    would create  stamp (string)',
    `demo  trigger  would create  rename → ${HOOK}`,
    `demo  trigger  would create  upload → ${HOOK}`,
    `demo  trigger  would remove  eager → ${HOOK}`,
    'Would create 3, would update 0, would remove 1, there already: 0, needless: 0. 0 faults.',
    'Next: run it without --dry-run.'
  ])
  t.equal(cloudinary.calls.filter(({ method }) => method !== 'GET').length, 0)
})

t.test('triggers to us that are needed no more are told, and removed by --prune', async (t) => {
  const { cloudinary, run } = await build(t)
  const { triggers } = cloudinary.cloud()
  for (const [uri, event_type] of [
    [HOOK, 'eager'],
    ['https://others.example.com/', 'eager']
  ])
    triggers.create({ uri, event_type }, 0)
  const told = await run({ environments: ['demo'] })
  t.match(told.lines.at(-4), /^demo {2}trigger {2}needless .*no processor is on it; --prune removes it$/)
  t.equal(triggers.list('eager').length, 2)
  const pruned = await run({ environments: ['demo'], prune: true })
  t.match(pruned.lines.at(-2), 'removed 1')
  t.match(triggers.list('eager'), [{ uri: 'https://others.example.com/' }])
})

t.test('triggers that work stay where the one in their place could not be created', async (t) => {
  const { cloudinary, run } = await build(t)
  const { triggers } = cloudinary.cloud()
  for (const event_type of ['upload', 'rename']) triggers.create({ uri: HOOK, event_type, additive: true }, 0)
  cloudinary.faults.add({ kind: 'status', status: 500, action: 'create_trigger' })
  const onAll = [{ ...PROCESSORS[0]!, on: ['*' as const] }]
  const failed = await run({ environments: ['demo'], prune: true }, onAll)
  t.equal(failed.exitCode, 1)
  t.match(failed.lines.slice(1), [
    /^demo {2}trigger {2}fault {5}all → /,
    /^demo {2}trigger {2}kept .*a trigger above is at fault/,
    /^demo {2}trigger {2}kept /,
    'Created 1, updated 0, removed 0, there already: 0, needless: 2. 1 fault.',
    /^Next: fix/
  ])
  t.equal(triggers.list().length, 2)
  cloudinary.faults.clear()
  const mended = await run({ environments: ['demo'], prune: true }, onAll)
  t.match(mended.lines.at(-2), 'Created 1, updated 0, removed 2')
  t.match(triggers.list(), [{ event_type: 'all' }])
})

t.test('a poll channel is a target as well, and the next step is another', async (t) => {
  const { cloudinary, run } = await build(t)
  const target = { uri: 'poll://orders', uri_type: 'poll' as const }
  const { lines } = await run({ target, environments: ['demo'] }, [{ ...PROCESSORS[0]!, on: ['*'] }])
  t.match(cloudinary.cloud().triggers.list(), [{ uri: 'poll://orders', uri_type: 'poll', event_type: 'all' }])
  t.match(lines.at(-1), 'POLL_CHANNEL=orders')
})

t.test('an environment that fails, or one thing in it, does not keep the rest from being done', async (t) => {
  const { cloudinary, run } = await build(t)
  cloudinary.cloud().metadataFields.create({ external_id: 'stamp', label: 'Stamp', type: 'date' })
  cloudinary.faults.add({ kind: 'status', status: 401, when: ({ cloud }) => cloud === 'other' })
  const { exitCode, lines } = await run({}, [{ ...PROCESSORS[0]!, on: ['related_assets', 'upload'] }])
  t.equal(exitCode, 1)
  t.match(lines, [
    /^demo {2}field {4}fault {5}stamp \(string\): it is there with type date/,
    /^demo {2}trigger {2}fault {5}related_assets → .*: create trigger: 400 /,
    /^demo {2}trigger {2}created {3}upload/,
    /^demo {2}test {5}sent /,
    /^other {2}cloud {4}fault {5}other: .* 401 .*check the secret/,
    '3 faults.',
    'Next: fix what the lines with "fault" say, and run it again.'
  ])
  t.notMatch(lines.join('\n'), 'another-secret')
})

t.test('an environment that there are no credentials for is a fault before anything is done', async (t) => {
  const { cloudinary, run } = await build(t)
  await t.rejects(run({ environments: ['demo', 'elsewhere'] }), {
    code: 'ENVIRONMENT_UNKNOWN',
    message: /"elsewhere".*demo, other/
  })
  t.equal(cloudinary.calls.length, 0)
})

t.test('triggers of ours that are not additive are made so, and keep what somebody set', async (t) => {
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
    /^demo {2}trigger {2}would update {2}upload .*additive.*; it has a filter/,
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
  t.match((await run(options)).lines, [/field/, /exists .*rename/, /exists .*upload.*: it has a filter/])
})

t.test('a test notification is sent on demand, and does not fail setup if it cannot be', async (t) => {
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

t.test('the limit of notification URLs is reported before a trigger is created', async (t) => {
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
