import { activity } from './activity.ts'
import { poll } from './poll.ts'
import type { Role } from './role.ts'
import { web } from './web.ts'
import { worker } from './worker.ts'

export const ROLES: Record<string, Role> = { web, worker, poll, activity }
