import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { EVENT_TYPES } from '../app/ingest/event-types.ts'

const USAGE = `Writes a processor and its test.

  npm run new -- processor NAME [--on TYPES]

  NAME          such as sale-tags: writes processors/sale-tags.ts and test/processors/sale-tags.test.ts
  --on TYPES    event types, separated by commas, or '*' (default: upload)`

/** Maximum length of a line in the code style. */
const LINE_LENGTH = 110

const MAX_NAME_LENGTH = 64

/** Names that the files use otherwise, or that no variable of a module may have. */
const TAKEN = ['await', 'defineProcessor', 't', 'testProcessor']

/** What to write. */
interface Scaffold {
  /** Name of the processor and its files. */
  name: string
  /** Name of the function that makes it. */
  identifier: string
  on: readonly string[]
}

interface Dependencies {
  /** The clone. */
  directory: string
  print: (line: string) => void
  /** Receives what is wrong. */
  report: (line: string) => void
}

/**
 * Runs the command. Overwrites no file.
 *
 * @returns the exit code: 1 when nothing was written
 */
export function runNew(args: readonly string[], { directory, print, report }: Dependencies): 0 | 1 {
  const scaffold = readArguments(args)
  if (typeof scaffold === 'string') {
    report(scaffold)
    return 1
  }
  const { name, identifier } = scaffold
  const files = {
    [`processors/${name}.ts`]: source(scaffold),
    [`test/processors/${name}.test.ts`]: test(scaffold)
  }
  const existing = Object.keys(files).find((file) => existsSync(join(directory, file)))
  if (existing) {
    report(`${existing} exists; choose another name, or remove it`)
    return 1
  }
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    writeFileSync(join(directory, file), text, { flag: 'wx' })
    print(`wrote ${file}`)
  }
  print(`
Add it to listener.config.ts:

  import { ${identifier} } from './processors/${name}.ts'

  processors: [
    ${identifier}()
  ]

Then run its test: npm test test/processors/${name}.test.ts`)
  return 0
}

/** Returns what to write, or what is wrong. */
function readArguments(args: readonly string[]): Scaffold | string {
  let parsed: { values: { on: string }; positionals: string[] }
  try {
    const options = { on: { type: 'string', default: 'upload' } } as const
    parsed = parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    return `${(error as Error).message}\n\n${USAGE}`
  }
  const [kind, name, ...others] = parsed.positionals
  if (kind !== 'processor' || name === undefined || others.length > 0) return USAGE
  const identifier = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  if (!/^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/.test(name) || name.length > MAX_NAME_LENGTH) {
    return `the name "${name}" must be lower-case words with hyphens, such as sale-tags, 64 characters at most`
  }
  if (!isFree(identifier))
    return `the name "${name}" is taken by JavaScript or by the test; choose another one`
  const on = [...new Set(parsed.values.on.split(','))]
  const known: readonly string[] = ['*', ...EVENT_TYPES]
  const unknown = on.find((type) => !known.includes(type))
  if (unknown !== undefined) {
    return `"${unknown}" is not an event type; use '*' or some of: ${EVENT_TYPES.join(', ')}`
  }
  return { name, identifier, on }
}

/** Returns whether a variable may have this name, which has only letters and digits. */
function isFree(identifier: string): boolean {
  if (TAKEN.includes(identifier)) return false
  try {
    new Function(`'use strict'; const ${identifier} = 0`)
    return true
  } catch {
    return false
  }
}

function source({ name, identifier, on }: Scaffold): string {
  return `import { defineProcessor } from '../app/listener.ts'

/** Describe in one sentence what the processor does, and how many calls it costs. */
export const ${identifier} = () =>
  defineProcessor({
    name: '${name}',
${onLine(on)}
    async handle(event) {
      // your editor completes \`event.payload\`; docs/events/README.md describes it
      return \`received \${event.type}\`
    }
  })
`
}

function onLine(on: readonly string[]): string {
  const types = on.map((type) => `'${type}'`)
  const line = `    on: [${types.join(', ')}],`
  return line.length <= LINE_LENGTH ? line : `    on: [\n      ${types.join(',\n      ')}\n    ],`
}

function test({ name, identifier, on }: Scaffold): string {
  const tests = on.map((each) => {
    const type = each === '*' ? 'upload' : each
    return `
t.test('handles ${type}', async (t) => {
  const run = await testProcessor(${identifier}(), '${type}')
  t.match(run, { outcome: 'succeeded', note: 'received ${type}' })
})
`
  })
  return `import t from 'tap'
import { testProcessor } from '../../app/testing.ts'
import { ${identifier} } from '../../processors/${name}.ts'
${tests.join('')}`
}

if (import.meta.main) {
  process.exitCode = runNew(process.argv.slice(2), {
    directory: '.',
    print: console.log,
    report: console.error
  })
}
