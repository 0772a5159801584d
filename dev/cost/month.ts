export const HOURS = 730
export const MINUTES = HOURS * 60
export const SECONDS = MINUTES * 60
export const DAYS = HOURS / 24
export const GB = 1e9
export const MILLION = 1e6
