import { glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { VARIABLES } from '../app/config.ts'
import { METRICS } from '../app/metrics/metric-names.ts'
import { SETTINGS } from '../infra/settings.ts'
import { TIMINGS } from '../infra/timings.ts'
import { activity, type Cells, costs, inputs, prices, savings, scale } from './cost/tables.ts'
import { EVENTS_DIRECTORY, eventDocuments } from './event-documents.ts'

/** A table of a document that is generated from code. */
export interface Table {
  document: string
  /** Name in the comments that mark its beginning and end in the document. */
  name: string
  source: string
  /** Returns the table in Markdown. */
  render: () => string
}

export const TABLES: readonly Table[] = [
  {
    document: 'README.md',
    name: 'configuration',
    source: 'app/config.ts',
    render: () => {
      const rows = Object.entries(VARIABLES).map(([name, { meaning, allowed, schema }]) => {
        const fallback = schema.safeParse(undefined).data
        return [`\`${name}\``, meaning, allowed, fallback === undefined ? '' : `\`${fallback}\``]
      })
      return markdown(['variable', 'meaning', 'allowed', 'default'], rows)
    }
  },
  {
    document: 'docs/operations.md',
    name: 'metrics',
    source: 'app/metrics/metric-names.ts',
    render: () => {
      const rows = Object.entries(METRICS).map(([name, { unit, dimensions, meaning }]) => [
        `\`${name}\``,
        unit,
        dimensions.map((set) => set.map((dimension) => `\`${dimension}\``).join(' + ')).join(', '),
        meaning
      ])
      return markdown(['metric', 'unit', 'dimensions', 'meaning'], rows)
    }
  },
  {
    document: 'docs/deploy.md',
    name: 'settings',
    source: 'infra/settings.ts',
    render: () => {
      const rows = Object.entries(SETTINGS).map(([name, { meaning, schema }]) => {
        const fallback = JSON.stringify(schema.safeParse(undefined).data)
        return [`\`${name}\``, meaning, fallback === undefined ? '' : `\`${fallback}\``]
      })
      return markdown(['setting', 'meaning', 'default'], rows)
    }
  },
  {
    document: 'docs/deploy.md',
    name: 'timings',
    source: 'infra/timings.ts',
    render: () => {
      const rows = Object.values(TIMINGS).map(({ seconds, at, meaning, constraint }) => [
        duration(seconds),
        at,
        meaning,
        constraint
      ])
      return markdown(['time', 'component', 'meaning', 'constraint'], rows)
    }
  },
  ofCost('docs/cost.md', 'costs', costs),
  ofCost('docs/cost.md', 'savings', savings),
  ofCost('docs/cost.md', 'activity', activity),
  ofCost('docs/cost.md', 'inputs', inputs),
  ofCost('docs/cost.md', 'prices', prices),
  ofCost('docs/scale.md', 'scale', scale)
]

function ofCost(document: string, name: string, make: () => Cells): Table {
  return {
    document,
    name,
    source: 'dev/cost/',
    render: () => {
      const { head, rows } = make()
      return markdown(head, rows)
    }
  }
}

const duration = (seconds: number) => (seconds < 86_400 ? `${seconds} s` : `${seconds / 86_400} days`)

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/**
 * Replaces the table in a document.
 *
 * @throws {Error} when the document has no place for it
 */
export function withTable(text: string, { document, name, source, render }: Table): string {
  const first = `<!-- ${name}: begin (npm run docs writes this from ${source}) -->`
  const last = `<!-- ${name}: end -->`
  const begin = text.indexOf(first)
  const end = text.indexOf(last)
  if (begin < 0 || end < begin) throw new Error(`no lines "${first}" and "${last}" in ${document}`)
  return `${text.slice(0, begin)}${first}\n${render()}\n${text.slice(end)}`
}

/** Returns repeated headings: links lead only to the first one. */
export function repeatedHeadings(text: string): string[] {
  const prose = text.replace(/^ *```[\s\S]*?^ *```/gm, '')
  const headings = Array.from(prose.matchAll(/^#+ +(.*)$/gm), ([, heading]) => heading!)
  return headings.filter((heading, index) => headings.indexOf(heading) < index)
}

interface Dependencies {
  print: (line: string) => void
  /** Receives a line for each problem. */
  report: (line: string) => void
}

/**
 * Writes the tables into the documents of a directory, and the documents of the event types, or only checks
 * them. Checks the headings.
 *
 * @returns the exit code: 1 when there is a problem
 * @throws {Error} when a document has no place for its table
 */
export async function updateDocuments(
  directory: string,
  { isCheck, print, report }: Dependencies & { isCheck: boolean }
): Promise<0 | 1> {
  let exitCode: 0 | 1 = 0
  for (const table of TABLES) {
    const { document, source } = table
    const path = join(directory, document)
    const text = await readFile(path, 'utf8')
    const updated = withTable(text, table)
    if (!isCheck) {
      await writeFile(path, updated)
      print(`${document}: wrote the table of ${source}`)
    } else if (updated !== text) {
      report(`${document} differs from ${source}; run: npm run docs`)
      exitCode = 1
    } else {
      print(`${document} agrees with ${source}`)
    }
  }
  if (!(await updateEvents(join(directory, EVENTS_DIRECTORY), { isCheck, print, report }))) exitCode = 1
  for await (const document of glob(['*.md', 'docs/**/*.md'], { cwd: directory })) {
    for (const heading of repeatedHeadings(await readFile(join(directory, document), 'utf8'))) {
      report(`${document} has two headings "${heading}"`)
      exitCode = 1
    }
  }
  return exitCode
}

/** Writes or checks a directory of generated documents. Returns whether it is up to date. */
async function updateEvents(
  directory: string,
  { isCheck, print, report }: Dependencies & { isCheck: boolean }
): Promise<boolean> {
  const documents = eventDocuments()
  await mkdir(directory, { recursive: true })
  for await (const name of glob('*', { cwd: directory })) {
    if (!documents.has(name) && !isCheck) await rm(join(directory, name))
    else if (!documents.has(name)) documents.set(name, '')
  }
  const differing: string[] = []
  for (const [name, text] of documents) {
    const path = join(directory, name)
    const before = await readFile(path, 'utf8').catch(() => undefined)
    if (before === text) continue
    if (!isCheck) await writeFile(path, text)
    differing.push(name)
  }
  if (isCheck && differing.length > 0) {
    report(
      `${EVENTS_DIRECTORY} differs from app/ingest/payloads/: ${differing.join(', ')}; run: npm run docs`
    )
    return false
  }
  print(`${EVENTS_DIRECTORY}: ${isCheck ? 'agrees with' : 'wrote the documents of'} app/ingest/payloads/`)
  return true
}

if (import.meta.main) {
  const isCheck = process.argv.includes('--check')
  process.exitCode = await updateDocuments('.', { isCheck, print: console.log, report: console.error })
}
