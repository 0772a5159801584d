import type { Role } from '../../app/roles/role.ts'
import { ROLES as ENTRIES } from '../../app/roles/roles.ts'

/** All roles, loaded. */
export const ROLES: Readonly<Record<string, Role>> = Object.fromEntries(
  await Promise.all(Object.entries(ENTRIES).map(async ([name, { load }]) => [name, await load()] as const))
)
