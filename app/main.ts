import closeWithGrace from 'close-with-grace'
import { type Command, runCommand } from './commands/command.ts'
import { COMMANDS } from './commands/commands.ts'
import { ConfigError, readConfig } from './config.ts'
import { ListenerError } from './errors.ts'
import { loadListener } from './listener-config/load-listener.ts'
import { createLogger, createOutput, type Logger, SERIALIZERS } from './logger.ts'
import { maskSecrets } from './mask.ts'
import { collectGarbage } from './roles/heap.ts'
import type { Role, Stop } from './roles/role.ts'
import { ROLES } from './roles/roles.ts'

const list = (entries: Record<string, { summary: string }>) =>
  Object.entries(entries)
    .map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`)
    .join('\n')

const USAGE = `Usage: node app/main.ts ROLE
       node app/main.ts COMMAND [--help] …

Roles, which stay up:
${list(ROLES)}

Commands, which run and exit:
${list(COMMANDS)}

It is configured by environment variables, which README.md lists, and by listener.config.ts.
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
    await startRole(name, role)
  } else {
    process.stderr.write(`${refusal(name, role !== undefined)}${usage}`)
    process.exitCode = 2
  }
}

/** What is wrong with the arguments, before the usage says what is right. */
function refusal(name: string, isRole: boolean): string {
  if (isRole) return `${name} takes no arguments\n\n`
  return name === '' ? '' : `${JSON.stringify(name)} is not a role or a command\n\n`
}

async function runAndExit(command: Command, args: string[]): Promise<void> {
  // whoever reads may have seen enough (`… | head`); what was begun is ended all the same
  const closed = new AbortController()
  process.stdout.on('error', () => closed.abort())
  const exitCode = await runCommand(command, args, {
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`),
    closed: closed.signal
  })
  // what was loaded may keep connections open; what was printed is written first
  process.stdout.write('', () => process.exit(exitCode))
}

async function startRole(name: string, role: Role): Promise<void> {
  let log = createLogger({ level: 'info', role: name })
  let stop: Stop = async () => {}
  // from the beginning, since a start may take long: as process 1 of a container, it would not hear SIGTERM
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
    stop = await role.start({ config, listener, log, write: createOutput() })
    collectGarbage()
  } catch (error) {
    explain(log, error)
    process.exit(1)
  }
}

/** Logs one line for each error that has a code, with its cause at level debug only; of any other error, all there is. */
function explain(log: Logger, error: unknown): void {
  if (error instanceof ConfigError) {
    for (const fault of error.faults) log.fatal({ code: error.code }, fault)
  } else if (error instanceof ListenerError) {
    const { code, message, cause } = error
    // the message has the file and the line; the stack is mostly that of Node.js
    const isToBeShown = code !== 'LISTENER_CONFIG_INVALID' || log.isLevelEnabled('debug')
    log.fatal({ code, ...(isToBeShown && { err: cause }) }, maskSecrets(message))
  } else {
    log.fatal({ err: error }, 'cannot start')
  }
}

await main(process.argv.slice(2))
