import { globSync } from 'node:fs'
import t from 'tap'

/**
 * Runs the tests of a directory and of those in it, one file after the other, in this process: a process for each takes
 * a second to start. Each file finds the environment of the process as the first one found it.
 */
export async function importTests(directory: string): Promise<void> {
  const environment = { ...process.env }
  const files = globSync('**/*.test.ts', { cwd: directory }).toSorted()

  const importFrom = async (index: number): Promise<void> => {
    const file = files[index]
    if (file === undefined) return
    for (const name of Object.keys(process.env)) {
      if (!Object.hasOwn(environment, name)) delete process.env[name]
    }
    Object.assign(process.env, environment)
    await import(`${directory}/${file}`)
    // Tests run in the order they were given, so those of the file have ended when this one runs. The next file is
    // imported within it: a root without a running test would take itself for ended.
    void t.test(`that was ${file}`, () => importFrom(index + 1))
  }
  await importFrom(0)
}
