import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'

export interface WatchOptions {
  /** Called with the files that have other content than before. It is not called again before it has settled. */
  onChange: (changed: readonly string[]) => Promise<void>
  /** How long the files must be left alone before it is called, in milliseconds. */
  quietMs?: number
}

/**
 * Watches files for a change of their content, by the directories that they are in: editors replace a file when they save, and
 * the watch of the file itself would be of the one that is gone.
 */
export class FileWatch {
  readonly #options: Required<WatchOptions>
  readonly #watched = new Map<string, FSWatcher>()
  #contents = new Map<string, string | undefined>()
  #timer: NodeJS.Timeout | undefined
  #isBusy = false
  #isStopped = false

  constructor({ onChange, quietMs = 100 }: WatchOptions) {
    this.#options = { onChange, quietMs }
  }

  /** Watches these files beside those that it watches already. */
  add(files: readonly string[]): void {
    for (const file of files) {
      if (this.#contents.has(file)) continue
      this.#contents.set(file, contentOf(file))
      this.#watchDirectory(dirname(file))
    }
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    for (const watcher of this.#watched.values()) watcher.close()
  }

  #watchDirectory(directory: string): void {
    if (this.#watched.has(directory)) return
    try {
      const watcher = watch(directory, () => this.#look())
      // the directory was removed
      watcher.on('error', () => watcher.close())
      this.#watched.set(directory, watcher)
    } catch {
      // the directory of a file that does not exist may not exist
    }
  }

  #look(): void {
    clearTimeout(this.#timer)
    // after a change was handled, it looks again
    if (this.#isStopped || this.#isBusy) return
    this.#timer = setTimeout(() => void this.#compare(), this.#options.quietMs)
  }

  async #compare(): Promise<void> {
    const now = new Map([...this.#contents.keys()].map((file) => [file, contentOf(file)]))
    const changed = [...now.keys()].filter((file) => now.get(file) !== this.#contents.get(file))
    this.#contents = now
    if (changed.length === 0) return
    this.#isBusy = true
    try {
      await this.#options.onChange(changed)
    } finally {
      this.#isBusy = false
    }
    // what changed meanwhile
    this.#look()
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
