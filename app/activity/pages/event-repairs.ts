import { maskSecrets } from '../../mask.ts'
import type { ActivityEventDetail } from '../activity-store.ts'
import { timeTag } from './event-time.ts'
import { type Content, html } from './html.ts'
import { link } from './page-link.ts'

/** Renders who discarded the event, and why, as long as it is discarded. */
export function discardNotice({ status, discarded }: ActivityEventDetail, now: number): Content {
  if (status !== 'discarded' || !discarded) return undefined
  const { by, at, reason } = discarded
  return html`<section class="notice" aria-labelledby="discarded"><h2 id="discarded">Discarded by <bdi>${by}</bdi> ${timeTag(at, now)}</h2>
<p class="message"><bdi>${maskSecrets(reason)}</bdi></p>
<p>Its dead letter was deleted. To run it after all, replay it with all processors.</p></section>`
}

interface Row {
  at: string
  what: string
  by: string | undefined
  from: string | undefined
  /** Id of the run, or the reason of a discard. */
  detail: Content
}

const KINDS = { replay: 'replayed (all processors)', redrive: 'replayed (failed processors)' }

/** Renders who replayed or discarded the event, and when: newest first. */
export function eventRepairs({ replays = [], discarded }: ActivityEventDetail, now: number): Content {
  const rows: Row[] = replays.map(({ run, kind, at, by, from }) => ({
    ...{ at, what: KINDS[kind], by, from },
    // a command keeps no progress
    detail:
      from === 'command'
        ? html`<code>${run}</code>`
        : html`<a href="${link(`/activity/repairs/${encodeURIComponent(run)}`)}"><code>${run}</code></a>`
  }))
  if (discarded) {
    const { at, by, from, reason } = discarded
    rows.push({ ...{ at, what: 'discarded', by, from }, detail: html`<bdi>${maskSecrets(reason)}</bdi>` })
  }
  if (rows.length === 0) return undefined
  return html`<section class="card" aria-labelledby="repairs"><h2 id="repairs">Replays and discards</h2><div class="scroll" tabindex="0" role="region" aria-label="Table of replays and discards"><table class="plain repairs">
<thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">By</th><th scope="col">Run or reason</th></tr></thead>
<tbody>${rows
    .toSorted((a, b) => b.at.localeCompare(a.at))
    .map(
      ({ at, what, by, from, detail }) =>
        html`<tr><td>${timeTag(at, now)}</td><td>${what}</td><td><bdi>${by ?? 'unknown'}</bdi>${from && ` (${from})`}</td><td>${detail}</td></tr>`
    )}</tbody></table></div></section>`
}
