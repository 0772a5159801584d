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

t.test('triggers are needed on the types that processors are on, or on all', (t) => {
  t.strictSame(neededTypes([]), [])
  t.strictSame(neededTypes([on('upload', 'rename'), on('upload', 'delete')]), ['delete', 'rename', 'upload'])
  t.strictSame(neededTypes([on('upload'), on('*')]), ['all'])
  t.strictSame(neededTypes([on('unknown')]), ['all'], 'nobody can name the types that are not known')
  t.end()
})

t.test('what is missing is created, what is there is left', async (t) => {
  const { states, apply } = plan([trigger('upload')], ['delete', 'upload'])
  t.strictSame(states, ['delete create', 'upload exists'])
  t.strictSame(await apply(), [{ uri: HOOK, uri_type: 'webhook', event_type: 'delete', additive: true }])
})

t.test("other people's triggers are left alone, whatever they are on", (t) => {
  const theirs = [
    trigger('upload', { uri: 'https://other.example.com/' }),
    trigger('eager', { uri: 'a flow', uri_type: 'flow' })
  ]
  t.strictSame(plan(theirs, ['upload'], { prune: true }).states, ['upload create'])
  t.end()
})

t.test('the same place may be written otherwise', (t) => {
  const [there] = plan([trigger('upload', { uri: 'https://EXAMPLE.com' })], ['upload'], {
    target: { uri: 'https://example.com/', uri_type: 'webhook' }
  }).states
  t.equal(there, 'upload exists')
  t.end()
})

t.test('a trigger on all covers each type, and stays', (t) => {
  const { steps, states } = plan([trigger('all')], ['upload'], { prune: true })
  t.strictSame(states, ['upload exists'])
  t.match(steps, [{ note: 'by the trigger on all' }])
  t.end()
})

t.test('triggers to us that nobody needs any more are told, and removed only when asked', async (t) => {
  const existing = [trigger('upload'), trigger('eager')]
  const told = plan(existing, ['upload'])
  t.strictSame(told.states, ['upload exists', 'eager needless'])
  t.match(told.steps[1], { note: /no processor.*--prune/ })
  t.strictSame(await told.apply(), [])
  const pruned = plan(existing, ['upload'], { prune: true })
  t.strictSame(pruned.states, ['upload exists', 'eager remove'])
  t.strictSame(await pruned.apply(), ['id-of-eager'])
  const beside = plan([trigger('all'), trigger('eager')], ['all'])
  t.match(beside.steps[1], { state: 'needless', note: /trigger on all/ })
})

t.test('a trigger that signs in a way nobody can verify is a fault', (t) => {
  const { steps } = plan([trigger('upload', { auth_scheme: 'eddsa_v2' })], ['upload'])
  t.match(steps, [{ state: 'fault', note: /legacy_hmac/ }])
  t.strictSame(plan([trigger('upload', { auth_scheme: 'default' })], ['upload']).states, ['upload exists'])
  t.end()
})

t.test('a trigger that is not additive is updated once, also where it is on all', async (t) => {
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
    'it is not needed'
  )
  t.end()
})

t.test('what somebody set on a trigger is reported: a template is a fault, a filter is not', (t) => {
  const template = plan([trigger('upload', { payload_template: { text: '{{public_id}}' } })], ['upload'])
  t.match(template.steps, [{ state: 'fault', note: /payload_template/ }])
  const filter = { '==': [{ var: 'resource_type' }, 'image'] }
  t.match(plan([trigger('all', { filter })], ['upload']).steps, [
    { state: 'exists', note: /^by the trigger on all; it has a filter/ }
  ])
  t.end()
})

t.test('a new address needs room for another notification URL; a poll channel does not', (t) => {
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
