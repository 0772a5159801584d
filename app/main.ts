import closeWithGrace from 'close-with-grace'
import { type Command, runCommand } from './commands/command.ts'
import { COMMANDS } from './commands/commands.ts'
import { ConfigError, readConfig } from './config.ts'
import { ListenerError } from './errors.ts'
import { loadListener } from './listener-config/load-listener.ts'
import { createLogger, createOutput, type Logger, SERIALIZERS } from './logger.ts'
import { maskSecrets } from './mask.ts'
import { collectGarbage } from './roles/heap.ts'
import { type Role, type Stop, startRole } from './roles/role.ts'
import { ROLES } from './roles/roles.ts'

const list = (entries: Record<string, { summary: string }>) =>
  Object.entries(entries)
    .map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`)
    .join('\n')

const USAGE = `Usage: node app/main.ts ROLE
       node app/main.ts COMMAND [--help] …

Roles run until they are stopped:
${list(ROLES)}

Commands run and exit:
${list(COMMANDS)}

Configuration: environment variables (see README.md) and listener.config.ts.
`

async function main([name = '', ...args]: readonly string[]): Promise<void> {
  const role = Object.hasOwn(ROLES, name) ? ROLES[name] : undefined
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  const usage = command?.usage ?? USAGE
  if ([name, ...args].some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(usage)
  } else if (command) {
    await runAndExit(command, args)
  } else if (role && args.length === 0) {
    await runRole(name, role)
  } else {
    process.stderr.write(`${usageProblem(name, role !== undefined)}${usage}`)
    process.exitCode = 2
  }
}

function usageProblem(name: string, isRole: boolean): string {
  if (isRole) return `${name} takes no arguments\n\n`
  return name === '' ? '' : `${JSON.stringify(name)} is not a role or a command\n\n`
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
    collectGarbage()
  } catch (error) {
    logStartError(log, error)
    process.exit(1)
  }
}

/** Logs errors with a code without their stack, and one line for each problem of the configuration. */
function logStartError(log: Logger, error: unknown): void {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) log.fatal({ code: error.code }, problem)
  } else if (error instanceof ListenerError) {
    const { code, message, cause } = error
    // the message has the file and the line; the stack of the cause is mostly that of Node.js
    const hasUsefulCause = code !== 'LISTENER_CONFIG_INVALID' || log.isLevelEnabled('debug')
    log.fatal({ code, ...(hasUsefulCause && { err: cause }) }, maskSecrets(message))
  } else {
    log.fatal({ err: error }, 'start failed')
  }
}

await main(process.argv.slice(2))
