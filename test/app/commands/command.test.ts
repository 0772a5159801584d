import t from 'tap'
import { UsageError } from '../../../app/commands/arguments.ts'
import { type Command, runCommand } from '../../../app/commands/command.ts'
import { ConfigError } from '../../../app/config.ts'
import { ListenerError } from '../../../app/errors.ts'
import { collect } from '../../support/operator.ts'

const closed = new AbortController().signal

async function run(work: Command['run']) {
  const output = collect()
  const errors = collect()
  const exitCode = await runCommand({ usage: 'Usage: x', run: work }, ['a', 'b'], {
    print: output.print,
    printError: errors.print,
    closed
  })
  return { exitCode, output: output.lines, errors: errors.lines }
}

const failing = (error: Error) => run(() => Promise.reject(error))

t.test('passes arguments and returns the exit code', async (t) => {
  const ran = await run(async (args, print) => {
    print(args.join())
    return 1
  })
  t.strictSame(ran, { exitCode: 1, output: ['a,b'], errors: [] })
})

t.test('passes standard error and the closed signal', async (t) => {
  const ran = await run(async (_args, _print, output) => {
    output.printError('a warning')
    t.equal(output.closed, closed)
    return 0
  })
  t.strictSame(ran.errors, ['a warning'])
})

t.test('prints the usage for wrong arguments', async (t) => {
  t.strictSame(await failing(new UsageError('unknown option')), {
    exitCode: 2,
    output: [],
    errors: ['unknown option\n\nUsage: x']
  })
})

t.test('prints a line for each configuration error', async (t) => {
  const { exitCode, errors } = await failing(new ConfigError(['one', 'two']))
  t.equal(exitCode, 1)
  t.strictSame(errors, ['one', 'two'])
})

t.test('prints any other error', async (t) => {
  t.strictSame((await failing(new ListenerError('CODE', 'fix it'))).errors, ['fix it'])
  t.match(await failing(new TypeError('a bug')), { exitCode: 1, errors: ['it failed (TypeError: a bug)'] })
})
