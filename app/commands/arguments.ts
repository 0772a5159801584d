import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ListenerError } from '../errors.ts'

/** Writes one line for people to read. */
export type Print = (line: string) => void

/** A command was called with arguments that it does not accept. */
export class UsageError extends ListenerError {
  constructor(message: string, code = 'USAGE') {
    super(code, message)
    this.name = 'UsageError'
  }
}

/**
 * Parses arguments with `parseArgs` of Node.js.
 *
 * @throws {UsageError} for an unknown argument
 */
export function readArguments<Options extends ParseArgsConfig>(
  config: Options
): ReturnType<typeof parseArgs<Options>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
