import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ListenerError } from '../errors.ts'

interface Place {
  file: string
  line?: number
}

/** What type stripping refuses, by the words that Node.js has for it, and what to write instead. */
const REPLACEMENTS: [RegExp, string][] = [
  [/TypeScript enum/, "write `const Color = { Red: 'red' } as const` instead"],
  [/namespace|module declaration/, 'export its members from a file of their own instead'],
  [/parameter property/, 'declare the field in the class and assign it in the constructor instead'],
  [/import equals/, "write `import name from '…'` instead"],
  [/export assignment/, 'write `export default` instead'],
  // Node.js says it itself
  [/angle-bracket/, '']
]

const OURS = `${dirname(import.meta.dirname)}/`

/**
 * Says in one line why a file that a user edits, or one that it imports, cannot be loaded: file and line, what is wrong, and
 * what to write instead where that is known.
 *
 * @param entry absolute path of the file that was to be loaded
 */
export function explainLoadError(error: unknown, entry: string): string {
  if (!(error instanceof Error))
    return `${shownPath(entry)} throws a value that is not an Error: ${String(error)}`
  const { file, line } = syntaxPlace(error) ??
    importPlace(error, entry) ??
    thrownPlace(error) ?? { file: entry }
  const where = line === undefined ? shownPath(file) : `${shownPath(file)}:${line}`
  return `${where}: ${describe(error, entry).replace(/\s*\n\s*/g, ' ')}`
}

/** A path as the user knows it: relative to the working directory where the file is in it. */
export function shownPath(file: string): string {
  const path = relative(process.cwd(), file)
  return path.startsWith('..') ? file : path
}

function describe(error: Error, entry: string): string {
  const { message } = error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  switch (code) {
    case 'ERR_MODULE_NOT_FOUND':
    case 'ERR_UNSUPPORTED_DIR_IMPORT':
      return missing(error, entry)
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX': {
      const replacement =
        REPLACEMENTS.find(([words]) => words.test(message))?.[1] ??
        'write what is JavaScript once its types are removed'
      return [`Node.js cannot run this: ${message}`, replacement].filter(Boolean).join('; ')
    }
    case 'ERR_IMPORT_ATTRIBUTE_MISSING':
      return `${message}; add \`with { type: 'json' }\` to the import`
  }
  const [, module, name] =
    /requested module '(.+)' does not provide an export named '(.+)'/.exec(message) ?? []
  if (name !== undefined) {
    return `${module} has no export ${name}; check the name, or write \`import type\` if it is a type`
  }
  if (error instanceof SyntaxError) {
    const unplaced = syntaxPlace(error) === undefined
    return `syntax error: ${message}${unplaced ? `; \`node --check ${shownPath(entry)}\` shows the line` : ''}`
  }
  return error instanceof ListenerError ? message : `${error.name}: ${message}`
}

/** What of a file or a package that is imported is missing. */
function missing({ message, url }: Error & { url?: string }, entry: string): string {
  if (url === undefined) {
    const name = /package '(.+?)'/.exec(message)?.[1]
    return `the package ${name} is not installed; run \`npm install ${name}\``
  }
  const path = fileURLToPath(url)
  if (path === entry) return 'no such file; set LISTENER_CONFIG to its path, from the working directory'
  const near = [`${path}.ts`, path.replace(/\.[cm]?js$/, '.ts'), `${path}/index.ts`].find(
    (candidate) => candidate !== path && existsSync(candidate)
  )
  return near === undefined
    ? `it imports ${shownPath(path)}, which does not exist`
    : `it imports ${shownPath(path)}, which is not a file; import ${shownPath(near)} instead`
}

/** Node.js writes the place of a syntax error above the stack. */
function syntaxPlace({ stack = '' }: Error): Place | undefined {
  const [, file, line] = /^(\S.*):(\d+)\n/.exec(stack) ?? []
  return file === undefined ? undefined : { file: pathOf(file), line: Number(line) }
}

/** The import that failed. Node.js names the file that has it and what was not found, but no line. */
function importPlace({ message }: Error, entry: string): Place | undefined {
  const [, target, importer] = /'(.+?)'.* imported from (.+)$/.exec(message) ?? []
  if (target === undefined || importer === undefined) return undefined
  if (target === entry) return { file: entry }
  const file = pathOf(importer)
  const isIt = (specifier: string) =>
    specifier === target || specifier.startsWith(`${target}/`) || resolve(dirname(file), specifier) === target
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const index = lines.findIndex((text) =>
    [...text.matchAll(/(['"])(.+?)\1/g)].some(([, , quoted]) => isIt(quoted!))
  )
  return { file, ...(index >= 0 && { line: index + 1 }) }
}

/** Where it was thrown: by the user's own code, or where that called the listener's. */
function thrownPlace({ stack = '' }: Error): Place | undefined {
  for (const [, path, line] of stack.matchAll(/^ {4}at (?:.*\()?((?:file:\/\/)?\/.+?):(\d+):\d+\)?$/gm)) {
    const file = pathOf(path!)
    if (!file.startsWith(OURS) && !file.includes('/node_modules/')) return { file, line: Number(line) }
  }
  return undefined
}

const pathOf = (name: string) => (name.startsWith('file:') ? fileURLToPath(name) : name)
