import { fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { shownPath } from '../../app/listener-config/load-error.ts'
import type { ConfigReport } from './report-config.ts'
import { EXIT_WITH_PARENT } from './role-process.ts'

export type { ConfigContent, ConfigReport, ProcessorSummary } from './report-config.ts'

/**
 * Loads the listener's configuration in its own process, since a process cannot load a changed file
 * again. Never throws.
 *
 * @param environment environment of the roles, which the configuration may read
 */
export async function inspectConfigFile(
  path: string,
  environment: Readonly<Record<string, string | undefined>>
): Promise<ConfigReport> {
  const child = fork(new URL(import.meta.resolve('./report-config.ts')), [path], {
    env: environment,
    execArgv: [...EXIT_WITH_PARENT],
    // the roles print the same output again
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
      message: `${shownPath(resolve(path))}: the process exited while loading it (${meaningOf(code)})`,
      stack: ''
    }
  )
}

const UNSETTLED_AWAIT = 13

const meaningOf = (code: number | null) =>
  code === UNSETTLED_AWAIT ? 'a top-level `await` never settled' : `exit code ${code}`
