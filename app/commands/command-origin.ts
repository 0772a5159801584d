import { userInfo } from 'node:os'
import type { RunOrigin } from '../ingest/event.ts'

/** Returns who runs a command, for the journal. A container may have no name for its user id. */
export function commandOrigin(
  readUser: () => { username: string } = userInfo,
  clock: () => number = Date.now
): RunOrigin {
  const at = new Date(clock()).toISOString()
  try {
    return { by: readUser().username, at, from: 'command' }
  } catch {
    return { by: 'operator', at, from: 'command' }
  }
}
