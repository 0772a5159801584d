import t from 'tap'
import type { Trigger } from '../../../../app/cloudinary/triggers.ts'
import type { Processor } from '../../../../app/listener.ts'
import { neededTypes, type TriggerWork, triggerSteps } from '../../../../app/operator/setup/triggers.ts'

const HOOK = 'https://example.com/webhooks/cloudinary'

const on = (...types: Processor['on'][number][]): Processor => ({ name: 'p', on: types, handle: () => {} })

const trigger = (event_type: string, more: Partial<Trigger> = {}): Trigger => ({
  id: `id-of-${event_type}`,
  uri: HOOK,
  event_type,
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
  t.strictSame(await apply(), [{ uri: HOOK, uri_type: 'webhook', event_type: 'delete' }])
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
