import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ListenerError } from '../errors.ts'
import type { Listener } from '../processor.ts'
import { defineListener } from './define-listener.ts'
import { explainLoadError, shownPath } from './load-error.ts'

/**
 * Loads the listener configuration.
 *
 * @param path relative to the working directory
 * @throws {ListenerError} LISTENER_CONFIG_INVALID if the file does not load or its default export is not a
 *   listener; the message is one line: file, line, what is wrong, what to write instead
 */
export async function loadListener(path: string): Promise<Listener> {
  const file = resolve(path)
  const invalid = (message: string, options?: ErrorOptions) =>
    new ListenerError('LISTENER_CONFIG_INVALID', message, options)
  let exported: { default?: Listener }
  try {
    exported = (await import(pathToFileURL(file).href)) as { default?: Listener }
  } catch (cause) {
    throw invalid(explainLoadError(cause, file), { cause })
  }
  const shown = shownPath(file)
  if (!exported.default) {
    throw invalid(
      `${shown} has no default export; write \`export default defineListener({ processors: [ … ] })\``
    )
  }
  try {
    return defineListener(exported.default)
  } catch (error) {
    throw invalid(`${shown}: ${(error as Error).message}`)
  }
}
