import { readConfig } from '../../app/config.ts'

/** The configuration of an empty environment. */
export const DEFAULT_CONFIG = readConfig([], {})
