import { ListenerError } from '../errors.ts'

/** The part of a processor that this file reads. */
interface ProcessorPackages {
  name: string
  packages?: readonly string[]
}

/**
 * Rejects a listener whose processors need npm packages that are not installed: the image has only the
 * packages in `dependencies` of package.json.
 *
 * @throws {ListenerError} PACKAGE_MISSING
 */
export function checkPackages(processors: readonly ProcessorPackages[]): void {
  for (const { name, packages = [] } of processors) {
    const missing = packages.filter((specifier) => !isInstalled(specifier))
    if (missing.length > 0) {
      throw new ListenerError(
        'PACKAGE_MISSING',
        `processor "${name}" needs ${missing.join(' and ')}; run \`npm install --save-prod ${missing.join(' ')}\``
      )
    }
  }
}

function isInstalled(specifier: string): boolean {
  try {
    import.meta.resolve(specifier)
    return true
  } catch {
    return false
  }
}
