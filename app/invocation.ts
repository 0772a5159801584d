import type { Command } from './commands/command.ts'
import { COMMANDS } from './commands/commands.ts'
import type { Role } from './roles/role.ts'
import { ROLES } from './roles/roles.ts'

/** What the arguments of `node app/main.ts` ask for. */
export type Invocation =
  | { kind: 'role'; name: string; role: Role }
  | { kind: 'command'; command: Command; args: string[] }
  | { kind: 'help'; usage: string }
  | { kind: 'wrong'; message: string }

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

/** Reads the arguments, and loads the role or command that they name. */
export async function readInvocation([name = '', ...args]: readonly string[]): Promise<Invocation> {
  const role = Object.hasOwn(ROLES, name) ? ROLES[name] : undefined
  const command = Object.hasOwn(COMMANDS, name) ? await COMMANDS[name]?.load() : undefined
  if ([name, ...args].some((arg) => arg === '--help' || arg === '-h')) {
    return { kind: 'help', usage: command?.usage ?? USAGE }
  }
  if (command) return { kind: 'command', command, args }
  if (role && args.length === 0) return { kind: 'role', name, role: await role.load() }
  return { kind: 'wrong', message: `${problem(name, role !== undefined)}${USAGE}` }
}

function problem(name: string, isRole: boolean): string {
  if (isRole) return `${name} takes no arguments\n\n`
  return name === '' ? '' : `${JSON.stringify(name)} is not a role or a command\n\n`
}
