import t from 'tap'
import { parseRedrive } from '../../../../app/commands/redrive/redrive.ts'

t.test('parses its options', async (t) => {
  t.strictSame(parseRedrive([]), { ids: [], types: [], dryRun: false })
  t.strictSame(parseRedrive(['--id', 'a', '--id', 'b', '--type', 'upload', '--dry-run']), {
    ids: ['a', 'b'],
    types: ['upload'],
    dryRun: true
  })
  t.throws(() => parseRedrive(['--bogus']), { code: 'USAGE' })
  t.throws(() => parseRedrive(['--id', '']), { code: 'USAGE', message: /--id/ })
  t.throws(() => parseRedrive(['--type', 'uplod']), { code: 'USAGE', message: /"uplod" .*upload/ })
})
