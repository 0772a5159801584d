import { basename } from 'node:path'
import t from 'tap'
import { filesOf } from '../groups/groups.ts'

/** Runs the test files of a group: `test/groups/1-dev.ts` runs those of `1-dev`. */
export const runGroup = (filename: string): Promise<void> =>
  importTests(filesOf(basename(filename, '.ts')).map((file) => `${process.cwd()}/${file}`))

/** Runs test files in this process, in sequence. Each one starts with the original environment variables. */
export async function importTests(files: readonly string[]): Promise<void> {
  const environment = { ...process.env }

  const importFrom = async (index: number): Promise<void> => {
    const file = files[index]
    if (file === undefined) return
    for (const name of Object.keys(process.env)) {
      if (!Object.hasOwn(environment, name)) delete process.env[name]
    }
    Object.assign(process.env, environment)
    await import(file)
    // Tests run in order, so those of this file have finished when this test runs. It imports the next file,
    // because tap ends when no test is running.
    void t.test(`end of ${basename(file)}`, () => importFrom(index + 1))
  }
  await importFrom(0)
}
