import { changesCommand } from './changes/changes-command.ts'
import type { Command } from './command.ts'
import { doctorCommand } from './doctor/doctor.ts'
import { migrateCommand } from './migrate.ts'
import { reconcileCommand } from './reconcile/reconcile.ts'
import { redriveCommand } from './redrive/redrive.ts'
import { replayCommand } from './replay.ts'
import { setupCommand } from './setup/setup.ts'

export const COMMANDS: Record<string, Command> = {
  setup: setupCommand,
  redrive: redriveCommand,
  replay: replayCommand,
  changes: changesCommand,
  reconcile: reconcileCommand,
  migrate: migrateCommand,
  doctor: doctorCommand
}
