import { readFile, rename, writeFile } from 'node:fs/promises'
import { ListenerError } from '../../errors.ts'

/** A file that holds one line of text, and is never half written. */
export const cursorFile = {
  /**
   * @returns undefined when there is no such file
   * @throws {ListenerError} CURSOR_FILE_UNUSABLE
   */
  async read(path: string): Promise<string | undefined> {
    try {
      return (await readFile(path, 'utf8')).trim()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw unusable('read', path, error)
    }
  },

  /** @throws {ListenerError} CURSOR_FILE_UNUSABLE */
  async write(path: string, text: string): Promise<void> {
    const beside = `${path}.${process.pid}.tmp`
    try {
      await writeFile(beside, `${text}\n`)
      await rename(beside, path)
    } catch (error) {
      throw unusable('write', path, error)
    }
  }
}

const unusable = (doing: string, path: string, error: unknown) =>
  new ListenerError('CURSOR_FILE_UNUSABLE', `cannot ${doing} ${path}: ${(error as Error).message}`)
