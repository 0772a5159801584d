import type { Poller } from './poller.ts'

/** Runs one poller per environment, including environments that are added later. */
export class Pollers {
  readonly #create: (cloudName: string) => Pick<Poller, 'start' | 'stop'>
  readonly #started = new Map<string, Pick<Poller, 'start' | 'stop'>>()
  #stopped = false

  constructor(create: (cloudName: string) => Pick<Poller, 'start' | 'stop'>) {
    this.#create = create
  }

  /** Starts missing pollers, unless `stop` was called. */
  start(cloudNames: readonly string[]): void {
    if (this.#stopped) return
    for (const cloudName of cloudNames) {
      if (this.#started.has(cloudName)) continue
      const poller = this.#create(cloudName)
      this.#started.set(cloudName, poller)
      poller.start()
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([...this.#started.values()].map((poller) => poller.stop()))
  }
}
