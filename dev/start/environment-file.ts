import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file of variables, as `node --env-file` reads it. */
export interface EnvironmentFile {
  path: string
  remove: () => void
}

/**
 * Writes down where a system's parts are, so that commands can be run on it from another terminal: into a temporary file that
 * only this user can read, named after the port of its webhook.
 */
export function writeEnvironmentFile(
  webhookUrl: string,
  variables: Readonly<Record<string, string | undefined>>
): EnvironmentFile {
  const path = join(tmpdir(), `cloudinary-listener-${new URL(webhookUrl).port}.env`)
  const lines = Object.entries(variables)
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}="${value}"\n`)
  // what another system left behind may have been readable to others
  rmSync(path, { force: true })
  writeFileSync(path, lines.join(''), { mode: 0o600, flag: 'wx' })
  return { path, remove: () => rmSync(path, { force: true }) }
}
