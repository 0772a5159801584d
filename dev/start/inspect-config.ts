import { fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { shownPath } from '../../app/listener-config/load-error.ts'
import { ATTACHED } from './role-process.ts'

/** What a start needs to know of a processor. */
export interface ProcessorSummary {
  name: string
  /** Names of variables. */
  requires: readonly string[]
  /** What variables of its own may be where they are not set, by name. */
  examples: Readonly<Record<string, string>>
}

/** What is in the file that a user edits, or why it cannot be loaded. */
export type ConfigContent =
  | { outcome: 'loaded'; processors: readonly ProcessorSummary[] }
  /** The message is one line: file and line, what is wrong, what to write instead. */
  | { outcome: 'invalid'; message: string; stack: string }

export type ConfigReport = ConfigContent & {
  /** Absolute paths of the file and of those that it imports, without what is in node_modules. A missing one is named too. */
  files: readonly string[]
}

/**
 * Loads the file that a user edits, in a process of its own, and reports what is in it. Never throws.
 *
 * @param environment what the roles are configured with, since the file may read it
 */
export async function inspectConfigFile(
  path: string,
  environment: Readonly<Record<string, string | undefined>>
): Promise<ConfigReport> {
  const child = fork(new URL(import.meta.resolve('./report-config.ts')), [path], {
    env: environment,
    execArgv: [...ATTACHED],
    // the roles will write it as well
    stdio: ['ignore', 'ignore', 'ignore', 'ipc']
  })
  let report: ConfigReport | undefined
  child.once('message', (message) => {
    report = message as ConfigReport
  })
  const [[code]] = await Promise.all([once(child, 'close'), once(child, 'disconnect')])
  return (
    report ?? {
      files: [resolve(path)],
      outcome: 'invalid',
      message: `${shownPath(resolve(path))}: the process ends while it is loaded (${meaningOf(code)})`,
      stack: ''
    }
  )
}

const UNSETTLED_AWAIT = 13

const meaningOf = (code: number | null) =>
  code === UNSETTLED_AWAIT ? 'an `await` outside a function never ends' : `exit code ${code}`
