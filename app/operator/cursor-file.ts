import { readFile, rename, writeFile } from 'node:fs/promises'

/** A file that holds one line of text, and is never half written. */
export const cursorFile = {
  /** @returns undefined when there is no such file */
  async read(path: string): Promise<string | undefined> {
    try {
      return (await readFile(path, 'utf8')).trim()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  },

  async write(path: string, text: string): Promise<void> {
    const beside = `${path}.${process.pid}.tmp`
    await writeFile(beside, `${text}\n`)
    await rename(beside, path)
  }
}
