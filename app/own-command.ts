/** How a usage names the program. */
const PROGRAM = 'node app/main.ts'

/** How a process was started. */
type Started = Pick<NodeJS.Process, 'execPath' | 'execArgv'>

/**
 * Returns the command line that runs a command of the listener as this process was run: with the Node.js that
 * npm installed, which a shell finds only through `npx`, and with the same files of variables.
 *
 * @param command such as `redrive --dry-run`
 */
export const commandLine = (command: string, started: Started = process): string =>
  `${programAsRun(started)} ${command}`

/** Returns a usage with the program as this process was run. */
export const usageAsRun = (usage: string, started: Started = process): string =>
  // a function, since a string may hold a pattern such as `$&`
  usage.replaceAll(PROGRAM, () => programAsRun(started))

function programAsRun({ execPath, execArgv }: Started): string {
  const node = /[\\/]node_modules[\\/]/.test(execPath) ? 'npx node' : 'node'
  return [node, ...filesOfVariables(execArgv).map(quoted), 'app/main.ts'].join(' ')
}

/** Node.js accepts the path with `=`, or as the next argument. */
const filesOfVariables = (execArgv: readonly string[]): string[] =>
  execArgv.filter((argument, index) => ENV_FILE.test(argument) || SEPARATE.test(execArgv[index - 1] ?? ''))

const ENV_FILE = /^--env-file(?:-if-exists)?(?:=|$)/
const SEPARATE = /^--env-file(?:-if-exists)?$/

/** Quotes an argument that a shell would split or change. */
const quoted = (argument: string): string =>
  /^[\w@%+=:,./~-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
