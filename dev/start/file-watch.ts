import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'

export interface WatchOptions {
  /**
   * Called with the files whose content changed. The next call waits until this one settles.
   *
   * @param isOutdated returns whether a file has changed since, so that another call follows
   */
  onChange: (changed: readonly string[], isOutdated: () => boolean) => Promise<void>
  /** Time without further changes before the call, in milliseconds. (Default: 100) */
  quietMs?: number
}

/**
 * Watches the content of files through their directories: editors replace a file when they save it, and a
 * watch of the file itself would stay with the old one.
 */
export class FileWatch {
  readonly #options: Required<WatchOptions>
  readonly #watched = new Map<string, FSWatcher>()
  readonly #contents = new Map<string, string | undefined>()
  #timer: NodeJS.Timeout | undefined
  #isBusy = false
  #isStopped = false

  constructor({ onChange, quietMs = 100 }: WatchOptions) {
    this.#options = { onChange, quietMs }
  }

  /** Adds files to watch. */
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
      const watcher = watch(directory, () => this.#schedule())
      // the directory was removed
      watcher.on('error', () => watcher.close())
      this.#watched.set(directory, watcher)
    } catch {
      // a missing file may be in a missing directory
    }
  }

  /** Returns the files whose content is another than at the last call, with it. */
  #changed(): [file: string, content: string | undefined][] {
    return [...this.#contents]
      .map(([file, before]) => ({ file, before, now: contentOf(file) }))
      .filter(({ before, now }) => before !== now)
      .map(({ file, now }) => [file, now])
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    // a call under way checks again when it settles
    if (this.#isStopped || this.#isBusy) return
    this.#timer = setTimeout(() => void this.#compare(), this.#options.quietMs)
  }

  async #compare(): Promise<void> {
    const changed = this.#changed()
    for (const [file, content] of changed) this.#contents.set(file, content)
    if (changed.length === 0) return
    this.#isBusy = true
    try {
      const files = changed.map(([file]) => file)
      await this.#options.onChange(files, () => this.#changed().length > 0)
    } finally {
      this.#isBusy = false
    }
    // files may have changed meanwhile
    this.#schedule()
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
