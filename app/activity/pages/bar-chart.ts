import { type Html, html } from './html.ts'

/** One part of each stacked bar, bottom first. */
export interface Series {
  name: string
  /** A colour class of activity.css, such as `done`. */
  colour: string
  values: readonly number[]
}

export interface BarChartOptions {
  /** Title of the chart, for screen readers and as the heading of the table. */
  title: string
  /** One for each bar, such as `17:05`. */
  labels: readonly string[]
  series: readonly Series[]
}

const HEIGHT = 100

/** Width of a bar and the distance from one to the next, in units of the drawing. */
const BAR = 8
const STEP = 10

/** Renders a chart of stacked bars, and a table with the same numbers. */
export function barChart({ title, labels, series }: BarChartOptions): Html {
  const totals = labels.map((_, index) => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0))
  const highest = roundUp(Math.max(1, ...totals))
  const bars = labels.map((label, index) => {
    let top = HEIGHT
    const parts = series.map(({ values, colour }) => {
      const height = ((values[index] ?? 0) / highest) * HEIGHT
      top -= height
      return (
        height > 0 &&
        html`<rect class="${colour}" x="${index * STEP + 1}" y="${round(top)}" width="${BAR}" height="${round(height)}"></rect>`
      )
    })
    const numbers = series.map(({ name, values }) => `${values[index] ?? 0} ${name}`).join(', ')
    return html`<g><title>${label}: ${numbers}</title><rect class="hit" x="${index * STEP}" y="0" width="${STEP}" height="${HEIGHT}"></rect>${parts}</g>`
  })
  return html`<figure class="chart">
  <div class="plot">
    <svg viewBox="0 0 ${labels.length * STEP} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title}; the table below has the numbers"><line class="grid" x1="0" x2="${labels.length * STEP}" y1="${HEIGHT / 2}" y2="${HEIGHT / 2}"></line>${bars}</svg>
    <span class="scale" aria-hidden="true"><span>${highest}</span><span>${highest / 2}</span><span>0</span></span>
  </div>
  <div class="ticks" aria-hidden="true">${ticks(labels).map((label) => html`<span>${label}</span>`)}</div>
  <figcaption>${series.map(({ name, colour }) => html`<span class="key ${colour}">${name}</span>`)}</figcaption>
  ${table({ title, labels, series })}
</figure>`
}

function table({ title, labels, series }: BarChartOptions): Html {
  const rows = labels
    .map((label, index) => ({ label, counts: series.map(({ values }) => values[index] ?? 0) }))
    .filter(({ counts }) => counts.some((count) => count > 0))
  return html`<details class="numbers"><summary>As a table</summary>${
    rows.length === 0
      ? html`<p>Nothing happened in this time.</p>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="${title}, as a table"><table>
<caption>${title}</caption>
<thead><tr><th scope="col">Time</th>${series.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(
          ({ label, counts }) =>
            html`<tr><th scope="row">${label}</th>${counts.map((count) => html`<td>${count}</td>`)}</tr>`
        )}</tbody>
</table></div>`
  }</details>`
}

/** Returns the first, the middle and the last label. */
const ticks = (labels: readonly string[]): string[] =>
  [0, Math.floor((labels.length - 1) / 2), labels.length - 1].map((index) => labels[index] ?? '')

/** Rounds up to 2, 4, 6, 8, 10, 20, 40, …, so that half of it is a whole number. */
function roundUp(value: number): number {
  const power = 10 ** Math.max(0, Math.ceil(Math.log10(value)) - 1)
  return 2 * Math.ceil(value / (2 * power)) * power
}

const round = (value: number): number => Math.round(value * 100) / 100
