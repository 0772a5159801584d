import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** A file of variables for `node --env-file`. */
export interface EnvironmentFile {
  path: string
  remove: () => void
}

/**
 * Writes the variables by which commands in another terminal find the system, to a temporary file that only
 * this user can read. The file is named after the user, who could not replace another one's file, and the port
 * of the webhook. A value that contains all three quotes cannot be written, and is left out.
 */
export function writeEnvironmentFile(
  webhookUrl: string,
  variables: Readonly<Record<string, string | undefined>>
): EnvironmentFile {
  const path = join(tmpdir(), `cloudinary-listener-${userInfo().uid}-${new URL(webhookUrl).port}.env`)
  const lines = Object.entries(variables)
    .map(([name, value = '']) => [name, value, quoteFor(value)] as const)
    .filter(([, value, quote]) => value !== '' && quote !== undefined)
    .map(([name, value, quote]) => `${name}=${quote}${value}${quote}\n`)
  // an old file may be readable to others, and keeps its mode when it is overwritten
  rmSync(path, { force: true })
  writeFileSync(path, lines.join(''), { mode: 0o600, flag: 'wx' })
  return { path, remove: () => rmSync(path, { force: true }) }
}

/** Values have no escapes, except that `\\n` is a line break in double quotes. */
const quoteFor = (value: string): string | undefined =>
  ["'", '`', '"'].find((quote) => !value.includes(quote) && !(quote === '"' && value.includes('\\n')))
