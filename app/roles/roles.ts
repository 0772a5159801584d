import type { Role } from './role.ts'

/** A role that has not been loaded. */
export interface RoleEntry {
  /** What the role does, for the usage. */
  summary: string
  load: () => Promise<Role>
}

/** Roles by name. A process loads only its own: to load all takes twice as long. */
export const ROLES: Record<string, RoleEntry> = {
  web: {
    summary: 'receives notifications over HTTP, verifies them and stores one event per asset in the queue',
    load: async () => (await import('./web.ts')).web
  },
  worker: {
    summary: 'receives events from the queue and runs the processors of listener.config.ts',
    load: async () => (await import('./worker.ts')).worker
  },
  poll: {
    summary: 'fetches notifications from a Cloudinary poll channel, if Cloudinary cannot reach web',
    load: async () => (await import('./poll.ts')).poll
  },
  activity: {
    summary: 'serves the activity page and its API, read from the journal',
    load: async () => (await import('./activity.ts')).activity
  }
}
