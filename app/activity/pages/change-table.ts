import type { PropertyChange } from '../../ingest/event-change.ts'
import { type Html, html } from './html.ts'

/** Renders a table of properties before and after an event. */
export const changeTable = (changes: readonly PropertyChange[]): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Table of changes"><table class="plain changes">
<thead><tr><th scope="col">Property</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
<tbody>${changes.map(
    ({ kind, property, before, after }) =>
      html`<tr><th scope="row"><bdi>${property}</bdi>${
        (kind === 'metadata' || kind === 'context') && html` <span class="muted">${kind}</span>`
      }</th><td>${side(before, 'removed')}</td><td>${side(after, 'added')}</td></tr>`
  )}</tbody></table></div>`

const side = (value: string | undefined, role: 'added' | 'removed'): Html =>
  value === undefined
    ? html`<span class="muted">–</span>`
    : html`<bdi class="${role}">${value === '' ? '""' : value}</bdi>`
