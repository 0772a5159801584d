import t, { type Test } from 'tap'
import { type TriggerCheckOptions, triggers } from '../../../../app/commands/doctor/triggers-check.ts'
import { commandLine } from '../../../../app/own-command.ts'
import type { TriggerParams } from '../../../../dev/cloudinary/trigger-store.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const HOOK = 'https://example.com/webhooks/cloudinary'
const PROCESSORS = [{ name: 'p', on: ['rename', 'upload'] as const, handle: () => {} }]
const signal = new AbortController().signal

/** Runs the check on an environment with these triggers. */
async function find(t: Test, existing: TriggerParams[], options: Partial<TriggerCheckOptions> = {}) {
  const { clients, cloudinary } = await buildCloudinary(t)
  for (const trigger of existing) cloudinary.cloud().triggers.create({ additive: true, ...trigger }, 0)
  const config = { WEBHOOK_URL: HOOK }
  const check = triggers({ clients, cloudNames: ['demo'], processors: PROCESSORS, config, ...options })
  return check.run(signal)
}

t.test('accepts triggers on all needed types', async (t) => {
  const own = [
    { uri: HOOK, event_type: 'upload' },
    { uri: `${HOOK}/`, event_type: 'rename' }
  ]
  t.strictSame(await find(t, own), [{ level: 'ok', message: 'demo: rename, upload to WEBHOOK_URL' }])
  t.match(await find(t, [{ uri: HOOK, event_type: 'all' }]), [{ level: 'ok' }])
  t.strictSame(await find(t, [], { processors: [] }), [], 'no type is needed')
  const config = { WEBHOOK_URL: HOOK, POLL_CHANNEL: 'orders' }
  const polled = { uri: 'poll://orders', uri_type: 'poll', event_type: 'rename' }
  t.match(await find(t, [polled, own[0]!], { config }), [
    { level: 'ok', message: /to WEBHOOK_URL or POLL_CHANNEL$/ }
  ])
})

t.test('reports a type that no trigger sends here', async (t) => {
  const elsewhere = [
    { uri: HOOK, event_type: 'upload' },
    { uri: 'https://others.example.com/', event_type: 'all' }
  ]
  t.strictSame(await find(t, elsewhere), [
    { level: 'fault', message: `demo: no trigger sends rename to WEBHOOK_URL; run: ${commandLine('setup')}` }
  ])
})

t.test('reports an address that web does not serve, in triggers and in WEBHOOK_URL', async (t) => {
  const mistyped = 'https://example.com/webhook/cloudinary?token=of-somebody'
  const found = await find(t, [{ uri: mistyped, event_type: 'all' }])
  t.match(found, [
    { level: 'fault', message: /no trigger sends rename, upload/ },
    {
      level: 'warning',
      message: /^demo: trigger on all: .*\/webhook\/cloudinary/
    }
  ])
  t.notMatch(JSON.stringify(found), 'of-somebody')
  t.match(await find(t, [{ uri: mistyped, event_type: 'all' }], { config: { WEBHOOK_URL: mistyped } }), [
    { level: 'fault', message: /^WEBHOOK_URL does not end with \/webhooks\/cloudinary/ },
    { level: 'warning' },
    { level: 'ok' }
  ])
})

t.test('reports what keeps a trigger from sending everything', async (t) => {
  const filter = { '==': [{ var: 'resource_type' }, 'image'] }
  const found = await find(t, [
    { uri: HOOK, event_type: 'upload', additive: false, filter },
    { uri: HOOK, event_type: 'rename', payload_template: { text: '{{public_id}}' } },
    { uri: HOOK, event_type: 'delete', additive: false }
  ])
  t.match(found, [
    { level: 'fault', message: /^demo: trigger on rename: .*payload_template/ },
    { level: 'warning', message: /^demo: trigger on upload: .*filter/ },
    { level: 'warning', message: /^demo: trigger on upload: not additive.*setup$/ }
  ])
  t.equal(found.length, 3, 'unused triggers are not checked')
})

t.test('accepts any address with the path if no address is configured', async (t) => {
  const config = {}
  t.match(await find(t, [{ uri: 'http://10.0.0.1/webhooks/cloudinary', event_type: 'all' }], { config }), [
    { level: 'ok', message: /WEBHOOK_URL is not set/ }
  ])
  t.match(await find(t, [{ uri: 'https://example.com/hook', event_type: 'all' }], { config }), [
    { level: 'fault' }
  ])
})

t.test('ignores triggers whose target is not a URL', async (t) => {
  const flow = { id: '1', uri: 'a flow', event_type: 'all' }
  t.capture(globalThis, 'fetch', async () => Response.json({ triggers: [flow] }))
  for (const config of [{ WEBHOOK_URL: HOOK }, {}])
    t.match(await find(t, [], { config }), [{ level: 'fault', message: /no trigger/ }])
})
