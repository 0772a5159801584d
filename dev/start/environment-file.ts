import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file of variables for `node --env-file`. */
export interface EnvironmentFile {
  path: string
  remove: () => void
}

/**
 * Writes the variables by which commands in another terminal find the system, to a temporary file that only
 * this user can read. The file is named after the port of the webhook.
 */
export function writeEnvironmentFile(
  webhookUrl: string,
  variables: Readonly<Record<string, string | undefined>>
): EnvironmentFile {
  const path = join(tmpdir(), `cloudinary-listener-${new URL(webhookUrl).port}.env`)
  const lines = Object.entries(variables)
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}="${value}"\n`)
  // an old file may be readable to others, and keeps its mode when it is overwritten
  rmSync(path, { force: true })
  writeFileSync(path, lines.join(''), { mode: 0o600, flag: 'wx' })
  return { path, remove: () => rmSync(path, { force: true }) }
}
