import { readConfig } from '../../app/config.ts'

/** What an empty environment is: the defaults. */
export const DEFAULT_CONFIG = readConfig([], {})
