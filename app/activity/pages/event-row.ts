import type { ProcessorRecord } from '../../journal/processor-record.ts'
import { maskSecrets } from '../../mask.ts'
import type { ActivityEvent } from '../activity-store.ts'
import { thumbnail } from './delivery-thumbnail.ts'
import { eventSummary, eventTitle } from './event-summary.ts'
import { duration, timeTag } from './event-time.ts'
import { type Content, type Html, html, joined } from './html.ts'
import { assetLink, eventLink } from './page-link.ts'

export interface RowOptions {
  now: number
  /** Id of the form that selects rows. Default: rows cannot be selected. */
  form?: string
  /** Id of the event to mark as current. */
  current?: string
  /** A remark about the event. */
  remark?: Content
}

/** Renders one event of a list. */
export function eventRow(event: ActivityEvent, { now, form, current, remark }: RowOptions): Html {
  const title = eventTitle(event)
  return html`<li class="row ${event.status}" data-id="${event.id}"${event.id === current && html` aria-current="true"`}>
${form && html`<label class="pick"><input type="checkbox" name="id" value="${event.id}" form="${form}" aria-label="Select: ${title}"></label>`}
${thumbnail(event)}
<div class="what"><a class="words" href="${eventLink(event.id)}">${eventSummary(event)}</a>
<div class="meta">${joined(details(event, now, remark), html`<span class="dot" aria-hidden="true"> · </span>`)}</div></div>
<div class="outcome">${statusBadge(event)}${processorChips(event)}</div>
<div class="when">${timeTag(event.receivedAt, now)}</div>
</li>`
}

export const statusBadge = ({ status }: Pick<ActivityEvent, 'status'>): Html =>
  html`<span class="status ${status}">${status}</span>`

/** Renders a chip for each processor: outcome and time. */
export function processorChips({ processors }: Pick<ActivityEvent, 'processors'>): Html {
  const records = Object.entries(processors)
  return records.length === 0
    ? html``
    : html`<ul class="chips" aria-label="Processors">${records.map(([name, record]) => chip(name, record))}</ul>`
}

const chip = (name: string, record: ProcessorRecord): Html =>
  html`<li class="chip ${record.outcome}" title="${chipTitle(name, record)}"><bdi>${name}</bdi> <span class="vh">${record.outcome}</span>${
    'milliseconds' in record && html` <span class="ms">${duration(record.milliseconds)}</span>`
  }</li>`

function chipTitle(name: string, record: ProcessorRecord): string {
  const text = processorText(record)
  return `${name}: ${record.outcome}${text === undefined ? '' : ` · ${text}`}`
}

/** Returns the note or the error of a processor's last run. */
export function processorText(record: ProcessorRecord): string | undefined {
  if ('message' in record) return maskSecrets(`${record.code}: ${record.message}`)
  return 'note' in record && record.note ? maskSecrets(record.note) : undefined
}

/** Renders the author of the change, if Cloudinary states one. */
export function who({ origin }: Pick<ActivityEvent, 'origin'>): Html {
  if (origin.own) return html`by this listener`
  if (!origin.id) return html`${origin.source ? `by ${origin.source}` : 'by someone unknown'}`
  return html`by ${origin.source === 'ui' ? 'user' : 'key'} <bdi>${origin.id}</bdi>`
}

/** Returns the earliest retry of the failed processors; ISO 8601. */
export const nextRetry = ({
  status,
  processors
}: Pick<ActivityEvent, 'status' | 'processors'>): string | undefined =>
  status !== 'retrying'
    ? undefined
    : Object.values(processors)
        .flatMap((record) => (record.outcome === 'failed' ? [record.notBefore] : []))
        .toSorted()[0]

function details(event: ActivityEvent, now: number, remark: Content): Content[] {
  const { type, environment, source, attempts, reason, lastError, status, group, discarded } = event
  const retry = nextRetry(event)
  const isFailing = status === 'retrying' || status === 'dead'
  return [
    remark && html`<strong>${remark}</strong>`,
    isFailing && lastError && html`<code class="code">${lastError.code}</code>`,
    retry && html`next attempt ${timeTag(retry, now)}`,
    status === 'ignored' && reason,
    status === 'discarded' && discarded && html`<bdi>${maskSecrets(discarded.reason)}</bdi>`,
    attempts > 1 && `${attempts} attempts`,
    html`<span class="type">${type}</span>`,
    html`<bdi>${environment}</bdi>`,
    who(event),
    source && source !== 'web' && html`via ${source}`,
    event.asset && group && html`<a href="${assetLink(group)}">history</a>`
  ].filter((detail) => detail)
}
