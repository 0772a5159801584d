import t from 'tap'
import { readArguments, UsageError } from '../../../app/commands/arguments.ts'

t.test('returns known arguments', async (t) => {
  const { values } = readArguments({ args: ['--id', 'a'], options: { id: { type: 'string' } } })
  t.equal(values.id, 'a')
})

t.test('throws a UsageError for an unknown argument', async (t) => {
  t.throws(() => readArguments({ args: ['--bogus'] }), { code: 'USAGE', message: /'--bogus'/ })
  t.throws(() => readArguments({ args: ['stray'] }), UsageError)
})
