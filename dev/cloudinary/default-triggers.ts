import type { Cloud } from './cloud.ts'

/** An additive trigger on all types in each cloud, which replaces `setup`. */
export class DefaultTriggers {
  readonly #clouds: readonly Cloud[]
  readonly #clock: () => number
  /** Ids of the triggers, by cloud name. */
  readonly #ids = new Map<string, string>()

  constructor(clouds: readonly Cloud[], clock: () => number) {
    this.#clouds = clouds
    this.#clock = clock
  }

  /** Replaces the triggers, or deletes them without a URL. */
  pointTo(uri: string | undefined): void {
    for (const { name, triggers } of this.#clouds) {
      const before = triggers.list().find(({ id }) => id === this.#ids.get(name))
      if (before) triggers.delete(before.id)
      if (uri === undefined) continue
      const trigger = { uri, event_type: 'all', additive: true }
      this.#ids.set(name, triggers.create(trigger, this.#clock()).id)
    }
  }
}
