import type { Poller } from './poller.ts'

/** A poller for each environment, those included that there are credentials for only later. */
export class Pollers {
  readonly #create: (cloudName: string) => Pick<Poller, 'start' | 'stop'>
  readonly #started = new Map<string, Pick<Poller, 'start' | 'stop'>>()
  #stopped = false

  constructor(create: (cloudName: string) => Pick<Poller, 'start' | 'stop'>) {
    this.#create = create
  }

  /** Starts those that are not started yet, unless all were stopped. */
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
