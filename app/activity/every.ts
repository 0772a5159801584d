/** Calls `beat` at an interval in milliseconds until the returned function is called. */
export type Every = (milliseconds: number, beat: () => void) => () => void

export const everyWithTimer: Every = (milliseconds, beat) => {
  const timer = setInterval(beat, milliseconds)
  return () => clearInterval(timer)
}
