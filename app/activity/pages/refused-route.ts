import type { FastifyPluginAsync } from 'fastify'
import type { MinuteCounts } from '../activity-store.ts'
import { clientSignal } from '../client-signal.ts'
import { timeTag } from './event-time.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { windowStart } from './minute-buckets.ts'
import { type PagesOptions, sendPage } from './page-options.ts'

/** Explanations of the reasons, by code. */
const MEANING: Readonly<Record<string, string>> = {
  SIGNATURE_MISSING: 'Not sent by Cloudinary (usually a scanner: nothing to do), or a proxy removes headers.',
  SIGNATURE_INVALID:
    'Signed with another secret, or modified in transit. If Cloudinary sent it, check the secret and which key signs notifications.',
  SIGNATURE_EXPIRED: 'Too old, or in the future: a replayed request, or the clock of this server is wrong.',
  BODY_TOO_LARGE: 'Larger than the limit of a notification (BODY_LIMIT_BYTES).',
  EVENT_TOO_LARGE: 'Larger than SQS can store.',
  BAD_REQUEST: 'A malformed HTTP request.'
}

/** `GET /activity/refused`: a sample of the refused notifications. */
export const refusedRoute: FastifyPluginAsync<PagesOptions> = async (app, { store, clock }) => {
  app.get('/activity/refused', async (_request, reply) => {
    const signal = clientSignal(reply.raw)
    const now = clock()
    const [samples, minutes] = await Promise.all([
      store.refused(signal),
      store.minutes(windowStart('24h', now), new Date(now).toISOString(), signal)
    ])
    const rows = samples.map(
      ({ at, code, headers, bytes }) =>
        html`<tr><td>${timeTag(at, now)}</td><td><code>${code}</code></td><td><ul class="headers">${Object.entries(
          headers
        ).map(
          ([name, form]) => html`<li><bdi>${name}</bdi>: <bdi class="muted">${form}</bdi></li>`
        )}</ul></td><td>${bytes === undefined ? '–' : bytes.toLocaleString('en-US')}</td></tr>`
    )
    return sendPage(
      reply,
      page({
        title: 'Refused',
        section: 'refused',
        main: html`<div class="page-head"><h1>Refused notifications</h1><p class="muted">A sample. Anyone can send requests to the webhook, so only the format of the headers is kept. Do not trust any value here.</p></div>
${reasons(minutes)}
${
  rows.length === 0
    ? html`<div class="empty"><p><strong>No notification was refused.</strong></p></div>`
    : html`<section class="card" aria-labelledby="samples"><h2 id="samples">Newest samples</h2><div class="scroll" tabindex="0" role="region" aria-label="Samples"><table class="plain">
<thead><tr><th scope="col">When</th><th scope="col">Reason</th><th scope="col">Headers</th><th scope="col">Bytes</th></tr></thead><tbody>${rows}</tbody></table></div></section>`
}`
      })
    )
  })
}

function reasons(minutes: readonly MinuteCounts[]): Html {
  const counts = new Map<string, number>()
  for (const { refused } of minutes) {
    for (const [code, count] of Object.entries(refused)) counts.set(code, (counts.get(code) ?? 0) + count)
  }
  if (counts.size === 0) return html``
  return html`<section class="card" aria-labelledby="reasons"><h2 id="reasons">Last 24 hours</h2><table class="plain">
<thead><tr><th scope="col">Reason</th><th scope="col">Count</th><th scope="col">What it means</th></tr></thead><tbody>${[
    ...counts
  ]
    .toSorted(([, a], [, b]) => b - a)
    .map(
      ([code, count]) =>
        html`<tr><th scope="row"><code>${code}</code></th><td>${count.toLocaleString('en-US')}</td><td>${meaningOf(code)}</td></tr>`
    )}</tbody></table></section>`
}

const meaningOf = (code: string): string | undefined =>
  Object.hasOwn(MEANING, code) ? MEANING[code] : 'See the log of the web role.'
