import type { Plot, RunResult } from '../sections/section.ts'
import { summarize } from './summary.ts'

/** Sizes in pixels. */
const WIDTH = 760
const LABELS = 280
const RIGHT = 110
const ROW = 26
const TOP = 44
const PLOT = WIDTH - LABELS - RIGHT

/**
 * Colours for light and dark pages. An image in a page follows the system, so it brings its own background.
 */
const STYLE = `
  .page { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif } .title { font-weight: 600 }
  .line { stroke: #d1d9e0 } .usual { fill: #8c959f; stroke: #8c959f } .own { fill: #0969da; stroke: #0969da }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .line { stroke: #3d444d }
    .usual { fill: #6e7681; stroke: #6e7681 } .own { fill: #4493f8; stroke: #4493f8 }
  }`

interface Row {
  name: string
  from: number
  until: number
}

/** Draws the medians of a section as SVG: a row for each case. */
export function draw({ kind, title, figure, until = figure, emphasis }: Plot, runs: RunResult[]): string {
  const rows: Row[] = summarize(runs).flatMap(({ name, of }) => {
    const [from, to] = [of(figure), of(until)]
    return from && to ? [{ name, from: from.middle, until: to.middle }] : []
  })
  const x = kind === 'bars' ? linear(rows) : logarithmic(rows)
  const height = TOP + rows.length * ROW + 12
  const shape = kind === 'bars' ? bar : span
  const lines = rows.map((row, index) => {
    const y = TOP + index * ROW + ROW / 2
    const style = row.name.startsWith(emphasis) ? 'own' : 'usual'
    const label = `<text x="${LABELS - 10}" y="${y + 4}" text-anchor="end">${escaped(row.name)}</text>`
    return label + shape(row, y, x, style)
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img">`,
    `<title>${escaped(title)}</title><style>${STYLE}</style>`,
    `<rect class="page" width="${WIDTH}" height="${height}" rx="6"/>`,
    `<text class="title" x="${LABELS}" y="26">${escaped(title)}</text>`,
    `<line class="line" x1="${LABELS}" y1="${TOP - 4}" x2="${LABELS}" y2="${height - 10}"/>`,
    ...lines,
    '</svg>',
    ''
  ].join('\n')
}

type Scale = (value: number) => number

function linear(rows: readonly Row[]): Scale {
  const maximum = Math.max(...rows.map(({ until }) => until))
  return (value) => round(LABELS + (value / maximum) * PLOT)
}

function logarithmic(rows: readonly Row[]): Scale {
  const [low, high] = [
    Math.min(...rows.map(({ from }) => from)) / 1.3,
    Math.max(...rows.map(({ until }) => until))
  ]
  return (value) => round(LABELS + (Math.log(value / low) / Math.log(high / low)) * PLOT)
}

function bar({ until }: Row, y: number, x: Scale, style: string): string {
  const end = x(until)
  return (
    `<rect class="${style}" x="${LABELS}" y="${y - 8}" width="${round(end - LABELS)}" height="16" rx="2"/>` +
    `<text x="${end + 6}" y="${y + 4}">${number(until)}</text>`
  )
}

function span({ from, until }: Row, y: number, x: Scale, style: string): string {
  const [start, end] = [x(from), x(until)]
  return (
    `<line class="${style}" x1="${start}" y1="${y}" x2="${end}" y2="${y}" stroke-width="3"/>` +
    `<circle class="${style}" cx="${start}" cy="${y}" r="5"/>` +
    `<circle class="${style}" cx="${end}" cy="${y}" r="3"/>` +
    `<text x="${end + 9}" y="${y + 4}">${number(from)} – ${number(until)}</text>`
  )
}

const round = (value: number) => Math.round(value * 10) / 10
const number = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 })
const escaped = (text: string) => text.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;')
