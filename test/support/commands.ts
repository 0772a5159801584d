import { runCommand } from '../../app/commands/command.ts'
import { COMMANDS } from '../../app/commands/commands.ts'

/** Runs a command in this process, with its environment. Returns the printed lines, including errors. */
export async function runHere(
  name: string,
  ...args: string[]
): Promise<{ exitCode: number; output: string[] }> {
  const output: string[] = []
  const print = (line: string) => void output.push(line)
  const closed = new AbortController().signal
  const exitCode = await runCommand(await COMMANDS[name]!.load(), args, { print, printError: print, closed })
  return { exitCode, output }
}

/** Runs `work` with changed environment variables, and restores them. */
export async function withEnvironment<T>(
  changes: Readonly<Record<string, string>>,
  work: () => Promise<T>
): Promise<T> {
  const before = { ...process.env }
  Object.assign(process.env, changes)
  try {
    return await work()
  } finally {
    for (const name of Object.keys(changes)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  }
}
