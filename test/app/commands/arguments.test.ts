import t from 'tap'
import { readArguments, UsageError } from '../../../app/commands/arguments.ts'

t.test('arguments that are known are read', async (t) => {
  const { values } = readArguments({ args: ['--id', 'a'], options: { id: { type: 'string' } } })
  t.equal(values.id, 'a')
})

t.test('an unknown option is a fault of whoever calls', async (t) => {
  t.throws(() => readArguments({ args: ['--bogus'] }), { code: 'USAGE', message: /'--bogus'/ })
  t.throws(() => readArguments({ args: ['stray'] }), UsageError)
})
