import { readFile, writeFile } from 'node:fs/promises'
import { VARIABLES } from '../app/config.ts'

const DOCUMENT = 'README.md'
const BEGIN = '<!-- configuration: begin (npm run docs writes this from app/config.ts) -->'
const END = '<!-- configuration: end -->'

/** The table of the environment variables, in Markdown, from where they are validated. */
export function configurationTable(): string {
  const rows = Object.entries(VARIABLES).map(([name, { meaning, allowed, schema }]) => {
    const fallback = schema.safeParse(undefined).data
    return `| \`${name}\` | ${meaning} | ${allowed} | ${fallback === undefined ? '' : `\`${fallback}\``} |`
  })
  return ['| variable | meaning | allowed | default |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

/**
 * The document with its table brought up to date.
 *
 * @throws {Error} when the document has no place for it
 */
export function withTable(document: string): string {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`no lines "${BEGIN}" and "${END}" in the document`)
  return `${document.slice(0, begin)}${BEGIN}\n${configurationTable()}\n${document.slice(end)}`
}

if (import.meta.main) {
  const document = await readFile(DOCUMENT, 'utf8')
  const updated = withTable(document)
  if (!process.argv.includes('--check')) {
    await writeFile(DOCUMENT, updated)
    console.log(`${DOCUMENT}: the table of the environment variables is written`)
  } else if (updated !== document) {
    console.error(`${DOCUMENT} differs from app/config.ts; run: npm run docs`)
    process.exitCode = 1
  } else {
    console.log(`${DOCUMENT} agrees with app/config.ts`)
  }
}
