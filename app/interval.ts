/** Calls `tick` repeatedly until the returned function is called. Does not keep the process alive. */
export type StartInterval = (milliseconds: number, tick: () => void) => () => void

export const startInterval: StartInterval = (milliseconds, tick) => {
  const timer = setInterval(tick, milliseconds).unref()
  return () => clearInterval(timer)
}
