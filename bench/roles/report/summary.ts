import { median } from '../measure.ts'
import type { Column, RunResult, Section } from '../sections/section.ts'

/** What was measured where and when; the content of the file of `--out`. */
export interface Results {
  machine: string
  node: string
  /** Versions of the compared packages. */
  versions: Record<string, string>
  /** ISO 8601, UTC. */
  date: string
  /** Load average of the minute before: how much other processes disturbed. */
  load: number
  /** The runs of each section, by its name. */
  sections: Record<string, RunResult[]>
}

/** The figures of one case over all runs. */
export interface Summary {
  name: string
  /** Median, lowest and highest value of a figure; undefined where it was not measured. */
  of: (figure: string) => { middle: number; low: number; high: number } | undefined
}

export function summarize(runs: readonly RunResult[]): Summary[] {
  return Object.keys(runs[0] ?? {}).map((name) => ({
    name,
    of: (figure) => {
      const values = runs.map((run) => run[name]?.[figure] ?? Number.NaN).filter(Number.isFinite)
      if (values.length === 0) return undefined
      return { middle: median(values), low: Math.min(...values), high: Math.max(...values) }
    }
  }))
}

/** Returns a table in Markdown: a row for each case, with medians. */
export function tableOf({ cases, columns }: Section, runs: readonly RunResult[]): string {
  const rows = summarize(runs).map((summary) => [
    summary.name,
    ...columns.map((column) => cell(column, summary))
  ])
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const headings = [cases, ...columns.map(({ heading }) => heading)]
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n')
}

function cell({ figure, digits = 0, range = false }: Column, { of }: Summary): string {
  const values = of(figure)
  if (values === undefined) return ''
  const text = (value: number) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  const { middle, low, high } = values
  return range && low < high ? `${text(middle)} (${text(low)}–${text(high)})` : text(middle)
}

/** Returns the line that says where a section comes from. */
export function origin(
  { machine, node, versions, date, load }: Results,
  { isSeries }: Section,
  runs: number
): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const times = isSeries ? 'one run' : `medians of ${runs} alternating runs, the range in brackets`
  const where = `${date.slice(0, 10)}, Node.js ${node}, ${machine}, load average before: ${load.toFixed(1)}`
  return `${where}; ${packages.join(', ')}; ${times}.`
}
