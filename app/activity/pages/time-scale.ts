/** A part of the drawing that is not to scale. */
export interface Shortened {
  /** Position in the drawing. */
  from: number
  to: number
}

export interface TimeScale {
  /** Returns the position of a time in the drawing, from 0 to the width. */
  place: (at: number) => number
  shortened: readonly Shortened[]
}

/**
 * Returns a scale for milliseconds of work and hours of waiting: intervals up to `longest` are to scale.
 *
 * @param moments starts and ends of the steps, in milliseconds
 * @param longest milliseconds
 */
export function timeScale(moments: readonly number[], longest: number, width: number): TimeScale {
  const times = [...new Set(moments)].toSorted((a, b) => a - b)
  const lengths = times.slice(1).map((time, index) => Math.min(time - times[index]!, longest))
  const total = lengths.reduce((sum, length) => sum + length, 0) || 1
  const places = [0]
  for (const length of lengths) places.push(places.at(-1)! + (length / total) * width)
  return {
    place: (at) => {
      const index = times.findLastIndex((time) => time <= at)
      if (index < 0) return 0
      const from = places[index]!
      const to = places[index + 1]
      if (to === undefined) return from
      const start = times[index]!
      return from + ((at - start) / (times[index + 1]! - start)) * (to - from)
    },
    shortened: lengths.flatMap((length, index) =>
      times[index + 1]! - times[index]! > length ? [{ from: places[index]!, to: places[index + 1]! }] : []
    )
  }
}
