/** How long everything must have been refused for a task to be replaced, in milliseconds. */
const REFUSING_MS = 60_000

/**
 * Tells whether the task has refused everything for a minute. Any request that is let in and ends otherwise than by a refusal,
 * even a forged one, or one that SQS does not store, shows that the task works: to replace it would help nobody.
 */
export class Availability {
  readonly #clock: () => number
  #refusingSince: number | undefined
  #lastRefusal = Number.NEGATIVE_INFINITY

  /** @param clock milliseconds */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Reports a request that the task had no room or no time for. */
  refused(): void {
    const now = this.#clock()
    // after a pause nobody knows what would have been refused meanwhile
    if (now - this.#lastRefusal > REFUSING_MS) this.#refusingSince = undefined
    this.#refusingSince ??= now
    this.#lastRefusal = now
  }

  /** Reports a request that the task could deal with. */
  served(): void {
    this.#refusingSince = undefined
  }

  get isStuck(): boolean {
    return (
      this.#refusingSince !== undefined &&
      this.#lastRefusal - this.#refusingSince >= REFUSING_MS &&
      this.#clock() - this.#lastRefusal <= REFUSING_MS
    )
  }
}
