import { ConfigError } from '../config.ts'
import { ListenerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { maskSecrets } from '../mask.ts'

/**
 * Logs why a process did not start. An error with a code is logged without its stack, and each problem of the
 * configuration in a line of its own.
 */
export function logStartError(log: Logger, error: unknown): void {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) log.fatal({ code: error.code }, problem)
  } else if (error instanceof ListenerError) {
    const { code, message, cause } = error
    // the message has the file and the line; the stack of the cause is mostly that of Node.js
    const hasUsefulCause = code !== 'LISTENER_CONFIG_INVALID' || log.isLevelEnabled('debug')
    log.fatal({ code, ...(hasUsefulCause && { err: cause }) }, maskSecrets(message))
  } else {
    log.fatal({ err: error }, 'start failed')
  }
}
