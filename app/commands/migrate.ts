import { type Config, readConfig } from '../config.ts'
import { loadListener } from '../listener-config/load-listener.ts'
import { readRequirements } from '../listener-config/requirements.ts'
import { type Logger, SILENT } from '../logger.ts'
import type { Listener } from '../processor.ts'
import { type Print, readArguments } from './arguments.ts'
import type { Command } from './command.ts'

export const MIGRATE_USAGE = `Usage: node app/main.ts migrate [--dry-run]

Creates or updates what the processors of listener.config.ts store elsewhere, such as the table of
databaseSync. Drops nothing. Safe to run again, and while workers run. Run it before you start a worker that
needs it.

  --dry-run  changes nothing, and prints what it would do

Exit code: 0 on success; 1 on an error; 2 for a wrong option.
`

export interface MigrateOptions {
  listener: Listener
  config: Config
  log: Logger
  print: Print
  dryRun: boolean
}

/** @throws {UsageError} */
export function parseMigrate(args: string[]): { dryRun: boolean } {
  const { values } = readArguments({ args, options: { 'dry-run': { type: 'boolean', default: false } } })
  return { dryRun: values['dry-run'] }
}

/**
 * Runs the migration of each processor, in the order listed, and returns the exit code. Stops at the first
 * error.
 *
 * @throws {ConfigError} if a variable that a processor requires is not set; any error of a processor
 */
export async function migrate({ listener, print, ...context }: MigrateOptions): Promise<number> {
  const migrating = listener.processors.filter((processor) => processor.migrate !== undefined)
  const config = readRequirements(migrating, context.config)
  if (migrating.length === 0) print('No processor needs a migration.')
  for (const processor of migrating) {
    await processor.migrate?.({ ...context, config, print: (line) => print(`${processor.name}: ${line}`) })
  }
  return 0
}

export const migrateCommand: Command = {
  usage: MIGRATE_USAGE,
  async run(args, print) {
    const { dryRun } = parseMigrate(args)
    const config = readConfig()
    const listener = await loadListener(config.LISTENER_CONFIG)
    return migrate({ listener, config, log: SILENT, print, dryRun })
  }
}
