import { readFile, writeFile } from 'node:fs/promises'
import type { Section } from '../sections/section.ts'
import { draw } from './plot.ts'
import { origin, type Results, tableOf } from './summary.ts'

const ROOT = `${import.meta.dirname}/../../..`
const DOCUMENT = `${ROOT}/docs/benchmarks.md`

/**
 * Writes the tables of the measured sections into docs/benchmarks.md, and their plots into docs/images.
 *
 * @throws {Error} if the document has no place for a section
 */
export async function writeDocument(sections: readonly Section[], results: Results): Promise<void> {
  let text = await readFile(DOCUMENT, 'utf8')
  for (const section of sections) {
    const runs = results.sections[section.name]
    if (runs === undefined) continue
    const images: string[] = []
    for (const plot of section.plots ?? []) {
      const file = `images/bench-${section.name}-${plot.figure}.svg`
      await writeFile(`${ROOT}/docs/${file}`, draw(plot, runs))
      images.push(`![${plot.title}](${file})`)
    }
    const parts = [origin(results, section, runs.length), tableOf(section, runs), ...images]
    text = replaceBetweenMarkers(text, section.name, parts.join('\n\n'))
  }
  await writeFile(DOCUMENT, text)
}

function replaceBetweenMarkers(text: string, name: string, content: string): string {
  const first = `<!-- bench ${name}: begin (npm run bench -- --write writes this) -->`
  const last = `<!-- bench ${name}: end -->`
  const [begin, end] = [text.indexOf(first), text.indexOf(last)]
  if (begin < 0 || end < begin) throw new Error(`no lines "${first}" and "${last}" in docs/benchmarks.md`)
  return `${text.slice(0, begin)}${first}\n\n${content}\n\n${text.slice(end)}`
}
