import { readConfig } from '../config.ts'
import { loadListener } from './load-listener.ts'

/**
 * Runs when the image is built: fails the build, with the reason in one line, if the listener configuration
 * does not load. Needs no variables and no network.
 */
try {
  const { LISTENER_CONFIG } = readConfig()
  const { processors } = await loadListener(LISTENER_CONFIG)
  console.log(`${LISTENER_CONFIG} loads: ${processors.map(({ name }) => name).join(', ')}`)
  // an imported module may keep connections open
  process.exit()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
