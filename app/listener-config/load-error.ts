import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ListenerError } from '../errors.ts'

interface SourceLocation {
  file: string
  line?: number
}

/** Syntax that type stripping rejects, by a pattern of the error of Node.js, and its replacement. */
const REPLACEMENTS: [RegExp, string][] = [
  [/TypeScript enum/, "write `const Color = { Red: 'red' } as const` instead"],
  [/namespace|module declaration/, 'export its members from a file of their own instead'],
  [/parameter property/, 'declare the field in the class and assign it in the constructor instead'],
  [/import equals/, "write `import name from '…'` instead"],
  [/export assignment/, 'write `export default` instead'],
  // the message of Node.js has the replacement
  [/angle-bracket/, '']
]

const LISTENER_DIRECTORY = `${dirname(import.meta.dirname)}/`

/**
 * Explains in one line why a user's file, or a file it imports, does not load: file, line, what is wrong and,
 * where known, what to write instead.
 *
 * @param entry absolute path of the user's file
 */
export function explainLoadError(error: unknown, entry: string): string {
  if (!(error instanceof Error))
    return `${shownPath(entry)} throws a value that is not an Error: ${String(error)}`
  const { file, line } = syntaxLocation(error) ??
    importLocation(error, entry) ??
    throwLocation(error) ?? { file: entry }
  const where = line === undefined ? shownPath(file) : `${shownPath(file)}:${line}`
  return `${where}: ${describe(error, entry).replace(/\s*\n\s*/g, ' ')}`
}

/** Returns the path relative to the working directory if the file is in it, else the absolute path. */
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
      return describeMissing(error, entry)
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX': {
      const replacement =
        REPLACEMENTS.find(([words]) => words.test(message))?.[1] ??
        'use only syntax that is JavaScript after its types are removed'
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
    const hint = `; \`node --check ${shownPath(entry)}\` shows the line`
    return `syntax error: ${message}${syntaxLocation(error) ? '' : hint}`
  }
  return error instanceof ListenerError ? message : `${error.name}: ${message}`
}

function describeMissing({ message, url }: Error & { url?: string }, entry: string): string {
  if (url === undefined) {
    const name = /package '(.+?)'/.exec(message)?.[1]
    return `the package ${name} is not installed; run \`npm install ${name}\``
  }
  const path = fileURLToPath(url)
  if (path === entry)
    return 'no such file; set LISTENER_CONFIG to its path, relative to the working directory'
  const suggestion = [`${path}.ts`, path.replace(/\.[cm]?js$/, '.ts'), `${path}/index.ts`].find(
    (candidate) => candidate !== path && existsSync(candidate)
  )
  return suggestion === undefined
    ? `it imports ${shownPath(path)}, which does not exist`
    : `it imports ${shownPath(path)}, which is not a file; import ${shownPath(suggestion)} instead`
}

/** Node.js writes the location of a syntax error above the stack. */
function syntaxLocation({ stack = '' }: Error): SourceLocation | undefined {
  const [, file, line] = /^(\S.*):(\d+)\n/.exec(stack) ?? []
  return file === undefined ? undefined : { file: pathOf(file), line: Number(line) }
}

/** Finds the failed import. Node.js reports its file and what was not found, but no line. */
function importLocation({ message }: Error, entry: string): SourceLocation | undefined {
  const [, target, importer] = /'(.+?)'.* imported from (.+)$/.exec(message) ?? []
  if (target === undefined || importer === undefined) return undefined
  if (target === entry) return { file: entry }
  const file = pathOf(importer)
  const isTarget = (specifier: string) =>
    specifier === target || specifier.startsWith(`${target}/`) || resolve(dirname(file), specifier) === target
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const index = lines.findIndex((text) =>
    [...text.matchAll(/(['"])(.+?)\1/g)].some(([, , quoted]) => isTarget(quoted!))
  )
  return { file, ...(index >= 0 && { line: index + 1 }) }
}

/** Finds the innermost stack frame in the user's code. */
function throwLocation({ stack = '' }: Error): SourceLocation | undefined {
  for (const [, path, line] of stack.matchAll(/^ {4}at (?:.*\()?((?:file:\/\/)?\/.+?):(\d+):\d+\)?$/gm)) {
    const file = pathOf(path!)
    if (!file.startsWith(LISTENER_DIRECTORY) && !file.includes('/node_modules/'))
      return { file, line: Number(line) }
  }
  return undefined
}

const pathOf = (name: string) => (name.startsWith('file:') ? fileURLToPath(name) : name)
