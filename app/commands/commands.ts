import type { Command } from './command.ts'

/** A command that has not been loaded. */
export interface CommandEntry {
  /** What the command does, for the usage. */
  summary: string
  load: () => Promise<Command>
}

/** Commands by name. A process loads only the one that it runs. */
export const COMMANDS: Record<string, CommandEntry> = {
  setup: {
    summary: 'creates in Cloudinary the metadata fields and triggers that the processors need',
    load: async () => (await import('./setup/setup.ts')).setupCommand
  },
  redrive: {
    summary: 'moves dead letters back to the queue, once their cause is fixed',
    load: async () => (await import('./redrive/redrive.ts')).redriveCommand
  },
  replay: {
    summary: 'runs events from the journal again',
    load: async () => (await import('./replay.ts')).replayCommand
  },
  changes: {
    summary: 'prints changed assets, one JSON object per line',
    load: async () => (await import('./changes/changes-command.ts')).changesCommand
  },
  reconcile: {
    summary: 'finds with the Search API the changes whose notifications were lost',
    load: async () => (await import('./reconcile/reconcile.ts')).reconcileCommand
  },
  schedules: {
    summary: 'runs the searches of the schedules that are due, and sends an event for each asset found',
    load: async () => (await import('./schedules/schedules.ts')).schedulesCommand
  },
  migrate: {
    summary: 'creates or updates the database tables of the processors',
    load: async () => (await import('./migrate.ts')).migrateCommand
  },
  canary: {
    summary: 'sends a test notification to the webhook, and waits until its journey has ended',
    load: async () => (await import('./canary/canary.ts')).canaryCommand
  },
  doctor: {
    summary: 'checks what the listener needs, and reports what is wrong',
    load: async () => (await import('./doctor/doctor.ts')).doctorCommand
  }
}
