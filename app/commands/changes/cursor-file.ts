import { readFile, rename, writeFile } from 'node:fs/promises'
import { ListenerError } from '../../errors.ts'

/** A file with one line of text, written atomically. */
export const cursorFile = {
  /**
   * @returns undefined if the file does not exist
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
    const temporary = `${path}.${process.pid}.tmp`
    try {
      await writeFile(temporary, `${text}\n`)
      await rename(temporary, path)
    } catch (error) {
      throw unusable('write', path, error)
    }
  }
}

const unusable = (doing: string, path: string, error: unknown) =>
  new ListenerError('CURSOR_FILE_UNUSABLE', `cannot ${doing} ${path}: ${(error as Error).message}`)
