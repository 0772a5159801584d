/** Maximum size of a small body, in bytes. Most notifications have one asset and 1 to 4 KB. */
export const SMALL_BODY_BYTES = 64 * 1024

/** Memory of a request beside its body, in bytes: headers and objects. */
const REQUEST_BYTES = 8 * 1024

export interface BodyBudgetOptions {
  /** Budget for bodies up to `SMALL_BODY_BYTES`, in bytes. */
  small: number
  /** Budget for larger bodies, in bytes. */
  large: number
}

/** Releases the reservation. Further calls do nothing. */
export type Release = () => void

/**
 * Limits the bytes of bodies that are held at a time. Small bodies have their own share, so that a few large
 * ones cannot keep them out.
 */
export class BodyBudget {
  readonly #small: Share
  readonly #large: Share

  constructor({ small, large }: BodyBudgetOptions) {
    this.#small = { capacity: small, used: 0 }
    this.#large = { capacity: large, used: 0 }
  }

  /** Reserved bytes. */
  get used(): number {
    return this.#small.used + this.#large.used
  }

  /**
   * Reserves memory for a body. Returns undefined if the budget is exhausted. Admits a body larger than its
   * share if the share is unused.
   */
  reserve(bodyBytes: number): Release | undefined {
    const share = bodyBytes > SMALL_BODY_BYTES ? this.#large : this.#small
    let held = bodyBytes + REQUEST_BYTES
    if (share.used > 0 && share.used + held > share.capacity) return undefined
    share.used += held
    return () => {
      share.used -= held
      held = 0
    }
  }
}

interface Share {
  readonly capacity: number
  used: number
}
