import { ConfigError } from '../config.ts'
import { type Print, UsageError } from './arguments.ts'
import { explain } from './explain-error.ts'

/** Runs and exits. */
export interface Command {
  summary: string
  usage: string
  /** Prints for people, and resolves to the exit code. Throws a UsageError for arguments it does not know. */
  run: (args: string[], print: Print, output: Output) => Promise<number>
}

/** What a command has beside its standard output. */
export interface Output {
  /** Standard error: what is not for the program that reads the rest. */
  printError: Print
  /** Aborts when nobody reads the standard output any longer (`… | head`). */
  closed: AbortSignal
}

/** Runs a command, says what is wrong in a line for each fault, and returns the exit code. Never throws. */
export async function runCommand(
  { usage, run }: Command,
  args: string[],
  { print, ...output }: Output & { print: Print }
): Promise<number> {
  try {
    return await run(args, print, output)
  } catch (error) {
    if (error instanceof UsageError) {
      output.printError(`${error.message}\n\n${usage}`)
      return 2
    }
    for (const problem of error instanceof ConfigError ? error.problems : [explain(error)])
      output.printError(problem)
    return 1
  }
}
