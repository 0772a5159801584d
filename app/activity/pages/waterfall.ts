import type { ActivityEventDetail } from '../activity-store.ts'
import { duration, exactTime } from './event-time.ts'
import { type Html, html } from './html.ts'
import { timeScale } from './time-scale.ts'
import { type Step, timeline } from './timeline.ts'

const WIDTH = 1000
const HEIGHT = 20

/** Minimum width of a bar, in units of the drawing. */
const NARROWEST = 5

/** Renders a table of the steps of an event, with a bar in each row. */
export function waterfall(event: ActivityEventDetail, now: number): Html {
  const steps = timeline(event, now)
  const start = Math.min(...steps.map((step) => step.start))
  const end = Math.max(...steps.map((step) => step.end))
  const scale = timeScale(
    steps.flatMap((step) => [step.start, step.end]),
    longestStretch(steps),
    WIDTH
  )
  const pauses = scale.shortened.map(
    ({ from, to }) =>
      html`<rect class="pause" x="${round(from)}" y="0" width="${round(to - from)}" height="${HEIGHT}"></rect>`
  )
  if (steps.length === 0) return html`<p class="muted">Nothing has been recorded yet.</p>`
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Timeline"><table class="waterfall">
<thead><tr><th scope="col">Step</th><th scope="col"><span class="vh">Drawing</span></th><th scope="col">Start</th><th scope="col">Duration</th></tr></thead>
<tbody>${steps.map((step) => line(step, start, scale.place, pauses))}</tbody>
<tfoot><tr><th scope="row">Total</th><td class="muted">${scale.shortened.length > 0 && 'grey parts are not to scale'}</td><td></td><td>${duration(end - start)}</td></tr></tfoot>
</table></div>`
}

function line(step: Step, start: number, place: (at: number) => number, pauses: readonly Html[]): Html {
  const from = place(step.start)
  const width = Math.max(NARROWEST, place(step.end) - from)
  const x = Math.min(from, WIDTH - width)
  return html`<tr class="${step.isPart ? 'part' : 'step'}"><th scope="row"><bdi>${step.label}</bdi>${
    step.detail && html` <span class="detail ${step.tone}">${step.detail}</span>`
  }</th><td class="bar"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${pauses}<rect class="${step.tone}" x="${round(x)}" y="4" width="${round(width)}" height="12" rx="2"></rect></svg></td><td title="${exactTime(new Date(step.start).toISOString())}">+${duration(step.start - start)}</td><td>${
    step.isOpen && html`<span class="muted">so far</span> `
  }${duration(step.end - step.start)}</td></tr>`
}

/**
 * Returns the length up to which an interval is drawn to scale: that of all finished attempts together.
 * Without any, everything is to scale.
 */
function longestStretch(steps: readonly Step[]): number {
  const ended = steps.filter(({ tone, isOpen }) => tone === 'attempt' && !isOpen)
  if (ended.length === 0) return Number.POSITIVE_INFINITY
  return Math.max(
    10,
    ended.reduce((sum, { start, end }) => sum + end - start, 0)
  )
}

const round = (value: number): number => Math.round(value * 10) / 10
