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
  usage.replaceAll(PROGRAM, programAsRun(started))

function programAsRun({ execPath, execArgv }: Started): string {
  const node = /[\\/]node_modules[\\/]/.test(execPath) ? 'npx node' : 'node'
  const files = execArgv.filter((argument) => argument.startsWith('--env-file'))
  return [node, ...files, 'app/main.ts'].join(' ')
}
