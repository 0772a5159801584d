import { type Html, html } from './html.ts'

const WIDTH = 100
const HEIGHT = 24

/**
 * Renders a small line chart of values in order of time; undefined means no value.
 */
export function sparkline(values: readonly (number | undefined)[], label: string): Html {
  const known = values.filter((value) => value !== undefined)
  const highest = Math.max(1, ...known)
  const step = WIDTH / Math.max(1, values.length - 1)
  const points = values.flatMap((value, index) =>
    value === undefined
      ? []
      : [`${round(index * step)},${round(HEIGHT - 1 - (value / highest) * (HEIGHT - 2))}`]
  )
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">${
    points.length > 0 && html`<polyline points="${points.join(' ')}"></polyline>`
  }</svg>`
}

/** Renders a small bar chart of counts. */
export function sparkBars(values: readonly number[], label: string, colour: string): Html {
  const highest = Math.max(1, ...values)
  const step = WIDTH / Math.max(1, values.length)
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">${values.map(
    (value, index) => {
      const height = value === 0 ? 1 : Math.max(2, (value / highest) * HEIGHT)
      return html`<rect class="${value === 0 ? 'none' : colour}" x="${round(index * step)}" y="${round(HEIGHT - height)}" width="${round(step * 0.8)}" height="${round(height)}"></rect>`
    }
  )}</svg>`
}

const round = (value: number): number => Math.round(value * 100) / 100
