import type { MinuteCounts, QueueSample } from '../activity-store.ts'
import { barChart } from './bar-chart.ts'
import { duration, timeTag } from './event-time.ts'
import { type Content, type Html, html } from './html.ts'
import { type Bucket, bucketsOf, WINDOWS, type Window } from './minute-buckets.ts'
import { link, listLink, type Query } from './page-link.ts'
import { sparkline } from './sparkline.ts'

export interface SummaryChartsOptions {
  minutes: readonly MinuteCounts[]
  queue: QueueSample | undefined
  window: Window
  query: Query
  now: number
}

/** Maximum number of processors in the charts. */
const MAX_PROCESSORS = 6

/** Age above which a sample is stale, in milliseconds. Workers write one every 10 s. */
const STALE_MS = 120_000

/** Renders charts and figures of the last minutes. */
export function summaryCharts({ minutes, queue, window, query, now }: SummaryChartsOptions): Html {
  const buckets = bucketsOf(minutes, window, now)
  const { name, bucketMinutes } = WINDOWS[window]
  const unit = bucketMinutes === 1 ? 'minute' : `${bucketMinutes} minutes`
  return html`<section class="strip" aria-labelledby="strip-title">
<div class="card wide">
  <div class="card-head"><h2 id="strip-title">Events per ${unit}</h2>
  <nav class="segments" aria-label="Time shown">${Object.entries(WINDOWS).map(
    ([key, { name: title }]) =>
      html`<a href="${listLink(query, { window: key === '1h' ? undefined : key })}" title="Last ${title}"${key === window && html` aria-current="true"`}>${key}</a>`
  )}</nav></div>
  ${barChart({
    title: `Events per ${unit} by outcome, last ${name}, times in UTC`,
    labels: buckets.map(({ start }) => start.slice(11, 16)),
    series: [
      { name: 'done', colour: 'done', values: buckets.map(({ done }) => done) },
      { name: 'ignored', colour: 'ignored', values: buckets.map(({ ignored }) => ignored) },
      { name: 'retried', colour: 'retrying', values: buckets.map(({ retried }) => retried) },
      { name: 'dead', colour: 'dead', values: buckets.map(({ dead }) => dead) }
    ]
  })}
</div>
<dl class="figures">
  ${latencies(minutes, buckets, name)}
  ${counts(minutes, name)}
  ${queueFigures(queue, now)}
  ${processorRates(minutes, name)}
</dl>
</section>`
}

const figure = (title: string, value: Content, detail: Content, chart?: Html, tone?: string): Html =>
  html`<div class="figure${tone && ` ${tone}`}"><dt>${title}</dt><dd><span class="value">${value}</span>${chart}<span class="detail">${detail}</span></dd></div>`

function latencies(minutes: readonly MinuteCounts[], buckets: readonly Bucket[], name: string): Html {
  const acknowledge = minutes.findLast(({ acknowledge }) => acknowledge)?.acknowledge
  const endToEnd = minutes.findLast(({ endToEnd }) => endToEnd)?.endToEnd
  return html`${figure(
    'Acknowledged, p95',
    acknowledge ? duration(acknowledge.p95) : '–',
    acknowledge
      ? `p50 ${duration(acknowledge.p50)} · p99 ${duration(acknowledge.p99)}`
      : `none in the last ${name}`,
    sparkline(
      buckets.map(({ acknowledgeP95 }) => acknowledgeP95),
      `Time to acknowledge, p95, over the last ${name}`
    )
  )}${figure(
    'End to end, p95',
    endToEnd ? duration(endToEnd.p95) : '–',
    endToEnd ? 'received → done' : `none in the last ${name}`,
    sparkline(
      buckets.map(({ endToEndP95 }) => endToEndP95),
      `Time from received to done, p95, over the last ${name}`
    )
  )}`
}

function counts(minutes: readonly MinuteCounts[], name: string): Html {
  const accepted = minutes.reduce((sum, minute) => sum + minute.accepted, 0)
  const refused = new Map<string, number>()
  for (const minute of minutes) {
    for (const [reason, count] of Object.entries(minute.refused)) {
      refused.set(reason, (refused.get(reason) ?? 0) + count)
    }
  }
  const total = [...refused.values()].reduce((sum, count) => sum + count, 0)
  const [most] = [...refused].toSorted(([, a], [, b]) => b - a)
  return html`${figure('Accepted', number(accepted), `events in the last ${name}`)}${figure(
    'Refused',
    total === 0 ? '0' : html`<a href="/activity/refused">${number(total)}</a>`,
    most ? html`mostly <code>${most[0]}</code>` : `notifications in the last ${name}`,
    undefined,
    total > 0 ? 'warn' : undefined
  )}`
}

function queueFigures(queue: QueueSample | undefined, now: number): Html {
  if (!queue) {
    return figure('Queue', '–', 'no worker has reported yet')
  }
  const seen = html`seen ${timeTag(queue.at, now)}`
  const stale = now - Date.parse(queue.at) > STALE_MS
  const oldest =
    queue.oldestSeconds === undefined ? '' : html` · oldest ${duration(queue.oldestSeconds * 1000)}`
  return html`${figure(
    'Stored, not started',
    number(queue.waiting),
    html`${number(queue.inFlight)} in flight${oldest} · ${seen}`,
    undefined,
    stale ? 'warn' : undefined
  )}${figure(
    'Dead letters',
    queue.deadLetters === 0 ? '0' : html`<a href="/activity/failures">${number(queue.deadLetters)}</a>`,
    queue.deadLetters === 0 ? 'nothing to fix' : 'fix the cause, then replay',
    undefined,
    queue.deadLetters === 0 ? undefined : 'bad'
  )}${figure(
    'Circuit breaker',
    queue.breakerOpen ? 'open' : 'closed',
    queue.breakerOpen ? 'Cloudinary is failing; attempts wait' : 'Cloudinary answers',
    undefined,
    queue.breakerOpen ? 'bad' : undefined
  )}`
}

function processorRates(minutes: readonly MinuteCounts[], name: string): Html {
  const totals = new Map<string, { runs: number; failures: number }>()
  for (const { processors } of minutes) {
    for (const [processor, { runs, failures }] of Object.entries(processors)) {
      const total = totals.get(processor) ?? { runs: 0, failures: 0 }
      totals.set(processor, { runs: total.runs + runs, failures: total.failures + failures })
    }
  }
  const rates = [...totals]
    .map(([processor, { runs, failures }]) => ({ processor, runs, failures, rate: runs && failures / runs }))
    .toSorted((a, b) => b.rate - a.rate || a.processor.localeCompare(b.processor))
  if (rates.length === 0) return html``
  return html`<div class="figure rates"><dt>Error rate by processor</dt><dd><ul>${rates
    .slice(0, MAX_PROCESSORS)
    .map(
      ({ processor, runs, failures, rate }) =>
        html`<li><a href="${link('/activity', { processor })}"><bdi>${processor}</bdi></a> <span${rate > 0 && html` class="bad"`} title="${failures} of ${runs} runs failed in the last ${name}">${percent(rate)}</span></li>`
    )}</ul>${rates.length > MAX_PROCESSORS && html`<span class="detail">and ${rates.length - MAX_PROCESSORS} more</span>`}</dd></div>`
}

const number = (value: number): string => value.toLocaleString('en-US')

function percent(rate: number): string {
  const value = rate * 100
  return `${value > 0 && value < 0.1 ? '<0.1' : Number(value.toFixed(value < 10 ? 1 : 0))} %`
}
