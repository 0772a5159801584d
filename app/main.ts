import closeWithGrace from 'close-with-grace'
import { type Command, runCommand } from './commands/command.ts'
import { readConfig } from './config.ts'
import { readInvocation } from './invocation.ts'
import { loadListener } from './listener-config/load-listener.ts'
import { createLogger, createOutput, SERIALIZERS } from './logger.ts'
import { usageAsRun } from './own-command.ts'
import { keepHeapSmall } from './roles/heap.ts'
import { type Role, type Stop, startRole } from './roles/role.ts'
import { logStartError } from './roles/start-error.ts'

async function main(args: readonly string[]): Promise<void> {
  const invocation = await readInvocation(args)
  switch (invocation.kind) {
    case 'role':
      return runRole(invocation.name, invocation.role)
    case 'command':
      return runAndExit(invocation.command, invocation.args)
    case 'help':
      process.stdout.write(usageAsRun(invocation.usage))
      return
    case 'wrong':
      process.stderr.write(usageAsRun(invocation.message))
      process.exitCode = 2
  }
}

async function runAndExit(command: Command, args: string[]): Promise<void> {
  // the reader may close the pipe early (`… | head`); the command still finishes its work
  const closed = new AbortController()
  process.stdout.on('error', () => closed.abort())
  const exitCode = await runCommand(command, args, {
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`),
    closed: closed.signal
  })
  // loaded modules may keep connections open; flush the output before exiting
  process.stdout.write('', () => process.exit(exitCode))
}

async function runRole(name: string, role: Role): Promise<void> {
  let log = createLogger({ level: 'info', role: name })
  let stop: Stop = async () => {}
  // installed before the start, which may take long: process 1 of a container ignores SIGTERM without a
  // handler
  closeWithGrace({ delay: role.stopWithinMs, logger: undefined }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'unexpected error; stopping')
    else log.info({ signal }, 'stopping')
    await stop()
    log.info('stopped')
  })
  try {
    const config = readConfig(role.requires)
    log = createLogger({ level: config.LOG_LEVEL, role: name })
    const listener = await loadListener(config.LISTENER_CONFIG)
    log = listener.logger?.child({ role: name }, { serializers: SERIALIZERS }) ?? log
    stop = await startRole(name, role, { config, listener, log, write: createOutput() })
    keepHeapSmall()
  } catch (error) {
    logStartError(log, error)
    process.exit(1)
  }
}

await main(process.argv.slice(2))
