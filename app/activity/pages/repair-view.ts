import { handledEvents, type Repair } from '../repair.ts'
import { timeTag } from './event-time.ts'
import { type Content, type Html, html } from './html.ts'
import { eventLink, listLink } from './page-link.ts'
import { amount } from './repair-question.ts'

const STATES: Readonly<Record<Repair['state'], string>> = {
  running: 'running',
  done: 'done',
  aborted: 'stopped',
  failed: 'failed',
  lost: 'interrupted'
}

/** Names a repair and its state: `Replay done`. */
export const repairTitle = ({ kind, state }: Pick<Repair, 'kind' | 'state'>): string =>
  `${NAMES[kind]} ${STATES[state]}`

const NAMES: Readonly<Record<Repair['kind'], string>> = { replay: 'Replay', discard: 'Discard' }

const number = (value: number): string => value.toLocaleString('en-US')

/** Renders the progress of a repair. activity.js refreshes it while the repair runs. */
export function repairProgress(repair: Repair, now: number, link: string): Html {
  const { kind, state, total, sent, discarded, failed, failures, error, endedAt, abortedBy } = repair
  const isRunning = state === 'running'
  const handled = handledEvents(repair)
  return html`<div class="dialog-page" id="progress"${isRunning && html` data-refresh="1000"`}><h1>${repairTitle(repair)}</h1>
<progress max="${Math.max(1, total)}" value="${total === 0 && !isRunning ? 1 : handled}" aria-label="Events ${kind === 'replay' ? 'replayed' : 'discarded'}">${handled} of ${total}</progress>
<p role="status"><strong>${number(kind === 'replay' ? sent : discarded)}</strong> of ${amount(total)} ${kind === 'replay' ? 'sent to the queue' : 'discarded'}${failed > 0 && html`, <strong class="bad">${number(failed)}</strong> failed`}</p>
${deadLetters(repair)}
${repair.reason !== undefined && html`<p>Reason: <bdi>${repair.reason}</bdi></p>`}
<p class="muted">Started ${timeTag(repair.at, now)} by ${repair.by} (${repair.from})${endedAt && html`, ended ${timeTag(endedAt, now)}`}${kind === 'replay' && ` · ${repair.failedOnly ? 'only processors that had not succeeded' : 'all processors'}`}</p>
${isRunning && abortedBy !== undefined && html`<p class="notice warn">${abortedBy} has asked it to stop.</p>`}
${state === 'aborted' && abortedBy !== undefined && html`<p class="muted">Stopped by ${abortedBy}.</p>`}
${state === 'lost' && html`<div class="notice bad" role="alert"><p>The process that ran it ended. ${whenLost(repair)}</p></div>`}
${error && html`<div class="notice bad" role="alert"><p><code>${error.code}</code> <bdi>${error.message}</bdi></p></div>`}
${
  failures.length > 0 &&
  html`<h2>Not ${kind === 'replay' ? 'sent' : 'discarded'}</h2><ul class="plain-list">${failures.map(
    (failure) =>
      html`<li><a href="${eventLink(failure.id)}"><code>${failure.id}</code></a> <code>${failure.code}</code> <bdi>${failure.message}</bdi></li>`
  )}</ul>`
}
<div class="actions">${isRunning && html`<form method="post" action="${link}/abort"><button class="danger" type="submit">Stop</button></form>`}<a class="button" href="${listLink(kind === 'replay' ? { source: 'replay' } : { status: 'discarded' })}">${kind === 'replay' ? 'Replayed' : 'Discarded'} events</a><a class="button" href="/activity/repairs">All repairs</a></div></div>`
}

/**
 * Returns what happens if a lost repair is started again. A new replay of all processors has another run id,
 * so it runs them again for events that were sent.
 */
function whenLost({ kind, failedOnly, sent }: Repair): string {
  if (kind === 'discard' || failedOnly) return 'Start it again for the events that are left: none runs twice.'
  return `If you start it again, all processors also run again for the ${amount(sent)} that it sent.`
}

function deadLetters({ deadLetters, state }: Repair): Content {
  if (!deadLetters) return undefined
  const { checked, queued, deleted } = deadLetters
  const shown = Math.max(checked, queued)
  const looked = `${number(checked)} of ${state === 'running' ? 'about ' : ''}${number(shown)}`
  return html`<p class="muted">Dead letters: ${number(deleted)} deleted, ${looked} looked at</p>`
}

/** Renders the last repairs. */
export const repairList = (repairs: readonly Repair[], now: number, linkTo: (id: string) => string): Html =>
  html`<div class="page-head"><h1>Repairs</h1><p class="muted">Replays and discards of the last seven days that were started here or by the API.</p></div>${
    repairs.length === 0
      ? html`<div class="empty"><p><strong>No repairs yet.</strong></p><p>Select events in the list to replay them, or dead ones to discard them.</p></div>`
      : html`<div class="card scroll" tabindex="0" role="region" aria-label="Table of repairs"><table class="plain repairs">
<thead><tr><th scope="col">Repair</th><th scope="col">Events</th><th scope="col">Started</th></tr></thead>
<tbody>${repairs.map((repair) => line(repair, now, linkTo(repair.id)))}</tbody></table></div>`
  }`

function line(repair: Repair, now: number, link: string): Html {
  const { sent, discarded, total, failed, deadLetters, at, by, from, reason } = repair
  return html`<tr><th scope="row"><a href="${link}">${repairTitle(repair)}</a>${reason !== undefined && html`<p class="muted"><bdi>${reason}</bdi></p>`}</th><td>${number(sent + discarded)} of ${number(total)}${failed > 0 && html`, <strong class="bad">${number(failed)} failed</strong>`}${deadLetters && html`<p class="muted">${number(deadLetters.deleted)} dead letters deleted</p>`}</td><td>${timeTag(at, now)}<p class="muted">by ${by} (${from})</p></td></tr>`
}
