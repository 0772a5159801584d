import { ConfigError } from '../config.ts'
import { usageAsRun } from '../own-command.ts'
import { type Print, UsageError } from './arguments.ts'
import { explain } from './explain-error.ts'

/** A command that runs and exits. */
export interface Command {
  usage: string
  /** Prints for people, and resolves to the exit code. Throws a {@link UsageError} for wrong arguments. */
  run: (args: string[], print: Print, output: Output) => Promise<number>
}

/** What a command can use besides standard output. */
export interface Output {
  /** Writes a line to standard error. */
  printError: Print
  /** Aborts when the reader has closed standard output (`… | head`). */
  closed: AbortSignal
}

/** Runs a command, prints one line for each error, and returns the exit code. Never throws. */
export async function runCommand(
  { usage, run }: Command,
  args: string[],
  { print, ...output }: Output & { print: Print }
): Promise<number> {
  try {
    return await run(args, print, output)
  } catch (error) {
    if (error instanceof UsageError) {
      output.printError(`${error.message}\n\n${usageAsRun(usage)}`)
      return 2
    }
    const lines = error instanceof ConfigError ? error.problems : [explain(error)]
    for (const line of lines) output.printError(line)
    return 1
  }
}
