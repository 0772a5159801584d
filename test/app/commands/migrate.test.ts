import t from 'tap'
import { migrate, parseMigrate } from '../../../app/commands/migrate.ts'
import { inspectConfig } from '../../../app/config.ts'
import type { MigrateContext, Processor } from '../../../app/listener.ts'
import { collect, QUIET } from '../../support/operator.ts'

type Migrate = NonNullable<Processor['migrate']>

const processor = (name: string, migrate?: Migrate): Processor => ({
  name,
  on: ['upload'],
  requires: ['DATABASE_URL'],
  handle: () => {},
  ...(migrate && { migrate })
})

function run(
  processors: Processor[],
  { dryRun = false, environment = { DATABASE_URL: 'postgres://x/y' } } = {}
) {
  const { lines, print } = collect()
  const { config } = inspectConfig([], environment) as { config: MigrateContext['config'] }
  return { lines, exitCode: migrate({ listener: { processors }, config, log: QUIET, print, dryRun }) }
}

t.test('parses its options', async (t) => {
  t.strictSame(parseMigrate([]), { dryRun: false })
  t.strictSame(parseMigrate(['--dry-run']), { dryRun: true })
  for (const args of [['--bogus'], ['table']]) t.throws(() => parseMigrate(args), { code: 'USAGE' })
})

t.test('runs the processors in order, and prefixes their lines with their names', async (t) => {
  const given: MigrateContext[] = []
  const printing =
    (line: string): Migrate =>
    async (context) => {
      given.push(context)
      context.print(line)
    }
  const { lines, exitCode } = run(
    [processor('first', printing('created')), processor('none'), processor('last', printing('up to date'))],
    { dryRun: true }
  )
  t.equal(await exitCode, 0)
  t.strictSame(lines, ['first: created', 'last: up to date'])
  t.match(given, [{ dryRun: true, config: { DATABASE_URL: 'postgres://x/y' } }, { dryRun: true }])
})

t.test('requires no variables if no processor needs a migration', async (t) => {
  const { lines, exitCode } = run([processor('none')], { environment: {} as never })
  t.equal(await exitCode, 0)
  t.match(lines, [/No processor needs a migration/])
})

t.test('checks the required variables before the first migration', async (t) => {
  let runs = 0
  const { exitCode } = run([processor('first', async () => void runs++)], { environment: {} as never })
  await t.rejects(exitCode, {
    code: 'CONFIG_INVALID',
    message: /^DATABASE_URL is not set, .*"first" needs it/
  })
  t.equal(runs, 0)
})

t.test('stops at the first error', async (t) => {
  let runs = 0
  const fails: Migrate = () => Promise.reject(new Error('in use'))
  const { exitCode } = run([processor('first', fails), processor('second', async () => void runs++)])
  await t.rejects(exitCode, { message: 'in use' })
  t.equal(runs, 0)
})
