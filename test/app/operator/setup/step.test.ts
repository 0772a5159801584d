import t from 'tap'
import { ListenerError } from '../../../../app/errors.ts'
import { carryOut } from '../../../../app/operator/setup/step.ts'

const about = { subject: 'field', what: 'a' } as const

t.test('what is to be done is done, and in a dry run only told', async (t) => {
  let applied = 0
  const apply = async () => void applied++
  t.strictSame(await carryOut({ ...about, state: 'create', apply }, { dryRun: true }), {
    state: 'would create'
  })
  t.strictSame(await carryOut({ ...about, state: 'remove', apply }, { dryRun: true }), {
    state: 'would remove'
  })
  t.equal(applied, 0)
  t.strictSame(await carryOut({ ...about, state: 'create', apply }, { dryRun: false }), { state: 'created' })
  t.strictSame(await carryOut({ ...about, state: 'remove', apply }, { dryRun: false }), { state: 'removed' })
  t.equal(applied, 2)
})

t.test('what cannot be done is a fault', async (t) => {
  const apply = async () => Promise.reject(new ListenerError('X', 'not today'))
  t.strictSame(await carryOut({ ...about, state: 'create', apply }, { dryRun: false }), {
    state: 'fault',
    note: 'not today'
  })
})

t.test('what stands is told as it is', async (t) => {
  t.match(await carryOut({ ...about, state: 'exists' }, { dryRun: false }), { state: 'exists' })
  t.match(await carryOut({ ...about, state: 'fault', note: 'no' }, { dryRun: true }), {
    state: 'fault',
    note: 'no'
  })
})
