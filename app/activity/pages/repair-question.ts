import type { ActivityFilter } from '../activity-store.ts'
import { MAX_REASON_LENGTH } from '../discard-reason.ts'
import { filterToQuery } from '../event-filter.ts'
import type { RepairCounts } from '../repair-count.ts'
import type { EventSelection } from '../repair-plan.ts'
import { shownFilters } from './filter-form.ts'
import { type Content, type Html, html } from './html.ts'
import { eventLink, listLink, type Query } from './page-link.ts'

/** Formats a number of events. */
export const amount = (count: number): string =>
  count === 1 ? '1 event' : `${count.toLocaleString('en-US')} events`

const counted = (count: number, { isComplete }: Pick<RepairCounts, 'isComplete'>): string =>
  isComplete ? amount(count) : `at least ${amount(count)}`

/** Renders the question before a replay. */
export function replayQuestion(selection: EventSelection, counts: RepairCounts): Html {
  const { failed, all, dead, isComplete } = counts
  if (all === 0 && isComplete) return nothing('Nothing to replay', 'events', selection)
  // the events after a limit may have failed
  const canRedrive = failed > 0 || !isComplete
  return html`<div class="dialog-page"><h1>Replay ${counted(canRedrive ? failed : all, counts)}?</h1>
${described(selection, 'replays every event in the journal')}
<form method="post" action="/activity/replays">${fields(selection)}
<fieldset><legend>Which processors run</legend>
<label><input type="radio" name="failedOnly" value="yes"${canRedrive ? html` checked` : html` disabled`}> Only those that have not succeeded: ${counted(failed, counts)}</label>
<label><input type="radio" name="failedOnly" value="no"${!canRedrive && html` checked`}> All, including those that have succeeded: ${counted(all, counts)}</label></fieldset>
${!isComplete && html`<p class="muted">Counting stopped early. A replay sends all events that match, at most 50,000.</p>`}
<p class="muted">The events of an asset run in order. The journal records who replayed them and when.${dead > 0 && ' Their dead letters are deleted once the queue has stored the events.'}</p>
<div class="actions"><button class="primary" type="submit">Start the replay</button><a class="button" href="${backLink(selection)}">Cancel</a></div>
</form></div>`
}

/** Renders the question before a discard, with a field for the reason. */
export function discardQuestion(selection: EventSelection, counts: RepairCounts): Html {
  const { dead, isComplete } = counts
  if (dead === 0 && isComplete) return nothing('Nothing to discard', 'dead events', selection)
  return html`<div class="dialog-page"><h1>Discard ${counted(dead, counts)}?</h1>
${described(selection, 'discards every dead event in the journal')}
<form method="post" action="/activity/discards">${fields(selection)}
<p>Only dead events are discarded. Their dead letters are deleted, and they no longer count as failures. Processors that have not succeeded never run for them, unless you replay them with all processors.</p>
<div class="field"><label for="reason">Reason</label><input id="reason" name="reason" type="text" required maxlength="${MAX_REASON_LENGTH}" placeholder="the asset was deleted on purpose" autocomplete="off" aria-describedby="reason-note"></div>
<p class="muted" id="reason-note">The journal keeps it with each event, and who discarded it and when.</p>
<div class="actions"><button class="danger" type="submit">Discard</button><a class="button" href="${backLink(selection)}">Cancel</a></div>
</form></div>`
}

const nothing = (title: string, what: string, selection: EventSelection): Html =>
  html`<div class="dialog-page"><h1>${title}</h1><p>This selects no ${what}.</p><p><a class="button" href="${backLink(selection)}">Back</a></p></div>`

const queryOf = (filter: ActivityFilter): Query => Object.fromEntries(filterToQuery(filter))

const backLink = (selection: EventSelection): string =>
  'filter' in selection ? listLink(queryOf(selection.filter)) : '/activity'

/** Renders the selection as hidden fields. */
function fields(selection: EventSelection): Content {
  const inputs: [string, unknown][] =
    'ids' in selection ? selection.ids.map((id) => ['id', id]) : Object.entries(queryOf(selection.filter))
  const shown = inputs.length === 0 ? [['all', 'yes'] as const] : inputs
  return shown.map(([name, value]) => html`<input type="hidden" name="${name}" value="${String(value)}">`)
}

function described(selection: EventSelection, everything: string): Content {
  if ('filter' in selection) {
    const query = queryOf(selection.filter)
    return Object.keys(query).length === 0
      ? html`<p class="notice warn"><strong>No filter is set:</strong> this ${everything}.</p>`
      : shownFilters(query)
  }
  const first = selection.ids[0]!
  const others = selection.ids.length - 1
  return html`<p>Selected: <a href="${eventLink(first)}"><code>${first}</code></a>${others > 0 && ` and ${others} more`}</p>`
}
