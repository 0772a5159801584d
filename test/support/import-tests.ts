import { globSync } from 'node:fs'
import t from 'tap'

/**
 * Runs the test files of a directory in this process, in sequence: a process per file takes a second to
 * start. Each file starts with the original environment variables.
 *
 * @param pattern glob below the directory; by default, of all test files
 */
export async function importTests(directory: string, pattern = '**/*.test.ts'): Promise<void> {
  const environment = { ...process.env }
  const files = globSync(pattern, { cwd: directory }).toSorted()

  const importFrom = async (index: number): Promise<void> => {
    const file = files[index]
    if (file === undefined) return
    for (const name of Object.keys(process.env)) {
      if (!Object.hasOwn(environment, name)) delete process.env[name]
    }
    Object.assign(process.env, environment)
    await import(`${directory}/${file}`)
    // Tests run in order, so those of this file have finished when this test runs. It imports the next file,
    // because tap ends when no test is running.
    void t.test(`end of ${file}`, () => importFrom(index + 1))
  }
  await importFrom(0)
}
