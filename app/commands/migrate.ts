import type { Config } from '../config.ts'
import { readConfig } from '../config.ts'
import { loadListener } from '../listener-config/load-listener.ts'
import { readRequirements } from '../listener-config/requirements.ts'
import type { Logger } from '../logger.ts'
import { SILENT } from '../logger.ts'
import type { Listener } from '../processor.ts'
import { type Print, readArguments } from './arguments.ts'
import type { Command } from './command.ts'

export const MIGRATE_USAGE = `Usage: node app/main.ts migrate [--dry-run]

Creates, or brings up to date, what the processors of listener.config.ts keep elsewhere, such as the table of
databaseSync. Drops nothing; safe to run again, and while workers run. Run it before a worker that needs it starts.

  --dry-run  changes nothing, and prints what would be done

Exit code: 0; 1 when something could not be done; 2 for a wrong option.
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
 * Has each processor migrate, in the order listed, and returns the exit code.
 *
 * @throws {ConfigError} for variables that they require and that are not set
 * @throws what the first one throws that cannot
 */
export async function migrate({ listener, print, ...context }: MigrateOptions): Promise<number> {
  const migrating = listener.processors.filter((processor) => processor.migrate !== undefined)
  const config = readRequirements(migrating, context.config)
  if (migrating.length === 0) print('No processor keeps anything elsewhere: there is nothing to migrate.')
  for (const processor of migrating) {
    await processor.migrate?.({ ...context, config, print: (line) => print(`${processor.name}: ${line}`) })
  }
  return 0
}

export const migrateCommand: Command = {
  summary: 'creates or updates the database tables of the processors',
  usage: MIGRATE_USAGE,
  async run(args, print) {
    const { dryRun } = parseMigrate(args)
    const config = readConfig()
    const listener = await loadListener(config.LISTENER_CONFIG)
    return migrate({ listener, config, log: SILENT, print, dryRun })
  }
}
