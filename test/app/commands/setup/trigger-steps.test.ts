import t from 'tap'
import type { Trigger } from '../../../../app/cloudinary/triggers.ts'
import { neededTypes, type TriggerWork, triggerSteps } from '../../../../app/commands/setup/trigger-steps.ts'
import type { Processor } from '../../../../app/listener.ts'

const HOOK = 'https://example.com/webhooks/cloudinary'

const on = (...types: Processor['on'][number][]): Processor => ({ name: 'p', on: types, handle: () => {} })

const trigger = (event_type: string, more: Partial<Trigger> = {}): Trigger => ({
  id: `id-of-${event_type}`,
  uri: HOOK,
  event_type,
  additive: true,
  ...more
})

function plan(existing: Trigger[], types: string[], more: Partial<TriggerWork> = {}) {
  const calls: unknown[] = []
  const steps = triggerSteps({
    target: { uri: HOOK, uri_type: 'webhook' },
    types,
    existing,
    prune: false,
    create: async (given) => void calls.push(given),
    makeAdditive: async ({ id }) => void calls.push(`additive ${id}`),
    remove: async (id) => void calls.push(id),
    ...more
  })
  const apply = async () => {
    for (const step of steps) if ('apply' in step) await step.apply()
    return calls
  }
  return { steps, apply, states: steps.map(({ what, state }) => `${what.split(' ')[0]} ${state}`) }
}

t.test('lists the types of the processors, or all', (t) => {
  t.strictSame(neededTypes([]), [])
  t.strictSame(neededTypes([on('upload', 'rename'), on('upload', 'delete')]), ['delete', 'rename', 'upload'])
  t.strictSame(neededTypes([on('upload'), on('*')]), ['all'])
  t.strictSame(neededTypes([on('unknown')]), ['all'], 'unknown types have no names')
  t.end()
})

t.test('creates missing triggers and leaves existing ones', async (t) => {
  const { states, apply } = plan([trigger('upload')], ['delete', 'upload'])
  t.strictSame(states, ['delete create', 'upload exists'])
  t.strictSame(await apply(), [{ uri: HOOK, uri_type: 'webhook', event_type: 'delete', additive: true }])
})

t.test('leaves triggers to other addresses alone', (t) => {
  const theirs = [
    trigger('upload', { uri: 'https://other.example.com/' }),
    trigger('eager', { uri: 'a flow', uri_type: 'flow' })
  ]
  t.strictSame(plan(theirs, ['upload'], { prune: true }).states, ['upload create'])
  t.end()
})

t.test('recognizes another spelling of the address', (t) => {
  const [there] = plan([trigger('upload', { uri: 'https://EXAMPLE.com' })], ['upload'], {
    target: { uri: 'https://example.com/', uri_type: 'webhook' }
  }).states
  t.equal(there, 'upload exists')
  t.end()
})

t.test('keeps a trigger on all, which covers each type', (t) => {
  const { steps, states } = plan([trigger('all')], ['upload'], { prune: true })
  t.strictSame(states, ['upload exists'])
  t.match(steps, [{ note: 'by the trigger on all' }])
  t.end()
})

t.test('reports unused triggers, and removes them only with prune', async (t) => {
  const existing = [trigger('upload'), trigger('eager')]
  const reported = plan(existing, ['upload'])
  t.strictSame(reported.states, ['upload exists', 'eager unused'])
  t.match(reported.steps[1], { note: /no processor.*--prune/ })
  t.strictSame(await reported.apply(), [])
  const pruned = plan(existing, ['upload'], { prune: true })
  t.strictSame(pruned.states, ['upload exists', 'eager remove'])
  t.strictSame(await pruned.apply(), ['id-of-eager'])
  const beside = plan([trigger('all'), trigger('eager')], ['all'])
  t.match(beside.steps[1], { state: 'unused', note: /trigger on all/ })
})

t.test('reports an auth_scheme that cannot be verified', (t) => {
  const { steps } = plan([trigger('upload', { auth_scheme: 'eddsa_v2' })], ['upload'])
  t.match(steps, [{ state: 'fault', note: /legacy_hmac/ }])
  t.strictSame(plan([trigger('upload', { auth_scheme: 'default' })], ['upload']).states, ['upload exists'])
  t.end()
})

t.test('makes a trigger additive once, including one on all', async (t) => {
  const lacks = { additive: false }
  const own = plan([trigger('upload', lacks), trigger('delete')], ['delete', 'upload'])
  t.strictSame(own.states, ['delete exists', 'upload update'])
  t.strictSame(await own.apply(), ['additive id-of-upload'])
  const onAll = plan([trigger('all', lacks)], ['delete', 'upload'])
  t.strictSame(onAll.states, ['delete exists', 'upload exists', 'all update'])
  t.strictSame(await onAll.apply(), ['additive id-of-all'])
  t.strictSame(plan([trigger('all', lacks)], ['all']).states, ['all update'])
  t.strictSame(
    plan([trigger('all', lacks), trigger('upload')], ['upload']).states,
    ['upload exists'],
    'the trigger on all is not used'
  )
  t.end()
})

t.test('reports a template as a fault and a filter as a note', (t) => {
  const template = plan([trigger('upload', { payload_template: { text: '{{public_id}}' } })], ['upload'])
  t.match(template.steps, [{ state: 'fault', note: /payload_template/ }])
  const filter = { '==': [{ var: 'resource_type' }, 'image'] }
  t.match(plan([trigger('all', { filter })], ['upload']).steps, [
    { state: 'exists', note: /^by the trigger on all; has a filter/ }
  ])
  t.end()
})

t.test('counts notification URLs for a new webhook address, but not for a poll channel', (t) => {
  const others = Array.from({ length: 30 }, (_, index) =>
    trigger('upload', { uri: `https://others.example.com/${index}`, uri_type: 'webhook' })
  )
  t.match(plan(others, ['upload']).steps, [{ state: 'fault', note: /^NOTIFICATION_URLS_EXHAUSTED/ }])
  const polls = others.map((one) => ({ ...one, uri: 'poll://a', uri_type: 'poll' }))
  t.strictSame(plan([...others.slice(1), ...polls], ['upload']).states, ['upload create'])
  t.strictSame(plan([...others.slice(1), trigger('delete')], ['delete', 'upload']).states, [
    'delete exists',
    'upload create'
  ])
  const target = { uri: 'poll://orders', uri_type: 'poll' as const }
  t.strictSame(plan(others, ['upload'], { target }).states, ['upload create'])
  t.end()
})
