import t from 'tap'
import { type Check, fault, ok, warn } from '../../../../app/commands/doctor/check.ts'
import { doctor } from '../../../../app/commands/doctor/doctor.ts'
import { collect } from '../../../support/operator.ts'

const check = (subject: string, run: Check['run']): Check => ({ subject, run })

t.test('prints a line for each finding, and continues after a fault', async (t) => {
  const { lines, print } = collect()
  const checks = [
    check('first', async () => [ok('good')]),
    check('second', async () => {
      throw new Error('broken\nbadly')
    }),
    check('third thing', async () => [warn('look'), fault('fix')]),
    check('fourth', async () => [])
  ]
  t.equal(await doctor({ checks, print }), 1)
  t.strictSame(lines, [
    'ok       first             good',
    'fault    second            it failed (Error: broken badly)',
    'warning  third thing       look',
    'fault    third thing       fix',
    '2 faults, 1 warning.'
  ])
})

t.test('returns 0 if there are only warnings', async (t) => {
  const { lines, print } = collect()
  t.equal(await doctor({ checks: [check('one', async () => [warn('look')])], print }), 0)
  t.equal(lines.at(-1), '0 faults, 1 warning.')
})

t.test('aborts a check after its time-out, and reports a fault', async (t) => {
  const { lines, print } = collect()
  let given: AbortSignal | undefined
  const silent = check('silent', (signal) => {
    given = signal
    return new Promise(() => {})
  })
  t.equal(await doctor({ checks: [silent], print, timeoutMs: 20 }), 1)
  t.match(lines[0], /^fault {4}silent +.* 0.02 s/)
  t.equal(given?.aborted, true)
})

t.test('lets a check depend on an earlier one', async (t) => {
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
