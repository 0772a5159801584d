import asyncHooks from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'

const { createHook } = asyncHooks

/**
 * Tap reports an error that nobody catches as a failure of its test, with an async hook. The hook's `destroy` only
 * frees the ids of finished operations, but makes V8 track when each promise is collected: a seventh of the CPU
 * of the tests. Without it, the ids stay until the process ends.
 */
asyncHooks.createHook = ({ destroy: _, ...callbacks }) => createHook(callbacks)
syncBuiltinESMExports()
