import { readConfig } from '../config.ts'
import { loadListener } from './load-listener.ts'

/**
 * Run when the image is built: ends with exit code 1, and the reason in one line, if the user's file cannot be loaded. Needs no
 * variable and no network.
 */
try {
  const { LISTENER_CONFIG } = readConfig()
  const { processors } = await loadListener(LISTENER_CONFIG)
  console.log(`${LISTENER_CONFIG} loads: ${processors.map(({ name }) => name).join(', ')}`)
  // what was imported may keep connections open
  process.exit()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
