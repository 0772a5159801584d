import type { Settings } from './settings.ts'

/** Returns the minutes between two canaries; undefined for `never`. */
export function canaryMinutes({ canaryEvery }: Settings): number | undefined {
  const [minutes] = /\d+/.exec(canaryEvery) ?? []
  return minutes === undefined ? undefined : Number(minutes)
}
