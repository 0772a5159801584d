/** Duration of most of the heavy-tailed work, in milliseconds. */
const USUAL_MS = 50
const SLOW_MS = 1000
const SLOW_SHARE = 0.05

/** Mean duration of the heavy-tailed work, in milliseconds. */
export const MEAN_WAIT_MS = USUAL_MS * (1 - SLOW_SHARE) + SLOW_MS * SLOW_SHARE

/**
 * Returns durations of work in milliseconds: 5 % are slow, at random places that are the same in each run.
 */
export function heavyTailedWaits(count: number): number[] {
  let seed = 42
  const random = () => {
    // a linear congruential generator (Numerical Recipes)
    seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32
    return seed
  }
  const slow = Math.round(count * SLOW_SHARE)
  return Array.from({ length: count }, (_, index) => ({ index, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ index }) => (index < slow ? SLOW_MS : USUAL_MS))
}

/** Returns a public id that says how long the work takes. */
export const publicIdOf = (index: number, waitMs: number) => `bench/wait-${waitMs}/asset-${index}`

/** Returns how long the work takes, in milliseconds. */
export const waitOf = (publicId = '') => Number(/wait-(\d+)/.exec(publicId)?.[1] ?? 0)
