import { globSync } from 'node:fs'

/**
 * Globs of the test files that a group runs in one process. A process takes a second to start, so the tests of
 * several short directories share one. tap starts the groups without coverage first (system tests), and within
 * these in the order of their names, so the names of long ones begin with lower numbers.
 */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  '1-dev': ['test/dev/*.test.ts'],
  '1-recipes': ['test/app/processors/**/*.test.ts'],
  '1-system-recipes': ['test/system/processors/**/*.test.ts'],
  '2-app': ['test/app/*.test.ts'],
  '2-infra-app': ['test/infra/app.test.ts'],
  '2-start': ['test/dev/start/**/*.test.ts'],
  '2-system-commands': ['test/system/commands/**/*.test.ts'],
  '2-system-listener': ['test/system/listener/**/*.test.ts'],
  '3-chaos': ['test/system/chaos.test.ts'],
  '3-commands': ['test/app/{activity,commands}/**/*.test.ts'],
  '3-every-processor': ['test/system/every-processor.test.ts'],
  '3-journal': ['test/app/journal/**/*.test.ts'],
  '3-simulation': ['test/simulation/*.test.ts'],
  '3-system-activity': ['test/system/activity/**/*.test.ts', 'test/system/database.test.ts'],
  '4-stand-ins': ['test/dev/{chat,cloudinary,cms,send}/**/*.test.ts', 'test/examples/*.test.ts'],
  '4-system-processes': ['test/system/processes/**/*.test.ts'],
  '4-web': ['test/app/{changes,cloudinary,credentials,ingest,listener-config,testing,web}/**/*.test.ts'],
  '4-web-fuzz': ['test/system/web-fuzz.test.ts'],
  '4-worker': ['test/app/{metrics,poll,queue,roles,schedules,tracing,worker}/**/*.test.ts'],
  '5-rest': [
    'test/infra/{schedule-expression,setting-values,settings}.test.ts',
    'test/support/*.test.ts',
    'test/system/{security-document,workflows}.test.ts'
  ]
}

/** Returns the test files of a group, in the order in which they run. */
export function filesOf(group: string): string[] {
  const files = (GROUPS[group] ?? []).flatMap((glob) => globSync(glob)).toSorted()
  if (files.length === 0) throw new Error(`no test files: ${group}`)
  return files
}
