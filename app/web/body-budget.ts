/** Up to this a body is small, in bytes. Most notifications are about one asset and have 1 to 4 KB. */
export const SMALL_BODY_BYTES = 64 * 1024

/** What a request costs beside its body, in bytes: headers, and the objects for it. */
const REQUEST_BYTES = 8 * 1024

export interface BodyBudgetOptions {
  /** For bodies up to `SMALL_BODY_BYTES`, in bytes. */
  small: number
  /** For larger ones, in bytes. */
  large: number
}

/** Gives back what was reserved; further calls do nothing. */
export type Release = () => void

/**
 * Bytes of bodies that may be held at a time. Small bodies have a share of their own: large ones, which fill
 * theirs with few connections, cannot keep them out.
 */
export class BodyBudget {
  readonly #small: Share
  readonly #large: Share

  constructor({ small, large }: BodyBudgetOptions) {
    this.#small = { capacity: small, used: 0 }
    this.#large = { capacity: large, used: 0 }
  }

  /** Bytes that are reserved. */
  get used(): number {
    return this.#small.used + this.#large.used
  }

  /** Returns undefined where the budget is spent. A body larger than its share is let in while it is alone. */
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
