import t from 'tap'
import { type Check, doctor, fault, ok, warn } from '../../../../app/commands/doctor/doctor.ts'
import { collect } from '../../../support/operator.ts'

const check = (subject: string, run: Check['run']): Check => ({ subject, run })

t.test('each check is a line, and a fault hides no other', async (t) => {
  const { lines, print } = collect()
  const checks = [
    check('first', async () => [ok('good')]),
    check('second', async () => {
      throw new Error('broken\nbadly')
    }),
    check('third thing', async () => [warn('look'), fault('mend')]),
    check('fourth', async () => [])
  ]
  t.equal(await doctor({ checks, print }), 1)
  t.strictSame(lines, [
    'ok       first             good',
    'fault    second            it failed (Error: broken badly)',
    'warning  third thing       look',
    'fault    third thing       mend',
    '2 faults, 1 warning.'
  ])
})

t.test('a warning is no fault', async (t) => {
  const { lines, print } = collect()
  t.equal(await doctor({ checks: [check('one', async () => [warn('look')])], print }), 0)
  t.equal(lines.at(-1), '0 faults, 1 warning.')
})

t.test('a check that does not end is a fault, and is told to end', async (t) => {
  const { lines, print } = collect()
  let told: AbortSignal | undefined
  const silent = check('silent', (signal) => {
    told = signal
    return new Promise(() => {})
  })
  t.equal(await doctor({ checks: [silent], print, timeoutMs: 20 }), 1)
  t.match(lines[0], /^fault {4}silent +no answer within 0.02 s/)
  t.equal(told?.aborted, true)
})

t.test('a check may depend on what an earlier one has found', async (t) => {
  const { lines, print } = collect()
  async function* checks() {
    let found = false
    yield check('first', async () => {
      found = true
      return []
    })
    if (found) yield check('second', async () => [ok('good')])
  }
  t.equal(await doctor({ checks: checks(), print }), 0)
  t.match(lines, [/^ok +second +good$/, '0 faults, 0 warnings.'])
})
