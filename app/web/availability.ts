/** Minimum time of refusing all requests before the task is replaced, in milliseconds. */
const REFUSING_MS = 60_000

/**
 * Detects that the task has refused all requests for a minute for lack of room or time. Any other request
 * shows that the task works, even if it is forged or not stored by SQS: replacing the task would not help.
 */
export class Availability {
  readonly #clock: () => number
  #refusingSince: number | undefined
  #lastRefusal = Number.NEGATIVE_INFINITY

  /** @param clock milliseconds */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Records a request that was refused for lack of room or time. */
  refused(): void {
    const now = this.#clock()
    // a pause without requests does not count as refusing
    if (now - this.#lastRefusal > REFUSING_MS) this.#refusingSince = undefined
    this.#refusingSince ??= now
    this.#lastRefusal = now
  }

  /** Records a request that the task could handle. */
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
