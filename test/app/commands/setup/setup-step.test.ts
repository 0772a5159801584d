import t from 'tap'
import { applyStep, applySteps, type SetupStep } from '../../../../app/commands/setup/setup-step.ts'
import { ListenerError } from '../../../../app/errors.ts'

const about = { subject: 'field', what: 'a' } as const

t.test('applies a step, and only reports it in a dry run', async (t) => {
  let applied = 0
  const apply = async () => void applied++
  const states = ['create', 'update', 'remove'] as const
  const carriedOut = (dryRun: boolean) =>
    Promise.all(states.map((state) => applyStep({ ...about, state, apply, note: 'why' }, { dryRun })))
  t.strictSame(
    await carriedOut(true),
    ['would create', 'would update', 'would remove'].map((state) => ({ state, note: 'why' }))
  )
  t.equal(applied, 0)
  t.strictSame(
    await carriedOut(false),
    ['created', 'updated', 'removed'].map((state) => ({ state, note: 'why' }))
  )
  t.equal(applied, 3)
})

t.test('reports an error as a fault', async (t) => {
  const apply = async () => Promise.reject(new ListenerError('X', 'not today'))
  t.strictSame(await applyStep({ ...about, state: 'create', apply }, { dryRun: false }), {
    state: 'fault',
    note: 'not today'
  })
})

t.test('reports other states unchanged', async (t) => {
  t.match(await applyStep({ ...about, state: 'exists' }, { dryRun: false }), { state: 'exists' })
  t.match(await applyStep({ ...about, state: 'fault', note: 'no' }, { dryRun: true }), {
    state: 'fault',
    note: 'no'
  })
})

t.test('removes nothing after a fault of a trigger', async (t) => {
  let removed = 0
  const remove: SetupStep = {
    subject: 'trigger',
    what: 'old',
    state: 'remove',
    apply: async () => void removed++
  }
  const refused: SetupStep = {
    subject: 'trigger',
    what: 'all',
    state: 'create',
    apply: async () => Promise.reject(new ListenerError('X', 'too many'))
  }
  const unusable: SetupStep = { subject: 'trigger', what: 'all', state: 'fault', note: 'its auth_scheme' }
  const statesOf = async (steps: SetupStep[], dryRun: boolean) =>
    (await Array.fromAsync(applySteps(steps, { dryRun }))).map(({ result }) => result.state)

  t.strictSame(await statesOf([refused, remove], false), ['fault', 'kept'])
  t.strictSame(await statesOf([unusable, remove], false), ['fault', 'kept'])
  t.strictSame(await statesOf([unusable, remove], true), ['fault', 'kept'])
  t.equal(removed, 0)
  t.strictSame(await statesOf([{ ...unusable, subject: 'field' }, remove], false), ['fault', 'removed'])
  t.equal(removed, 1)
})
