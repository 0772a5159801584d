import t from 'tap'
import { changeOf, eventOf } from '../../../../app/commands/reconcile/found-changes.ts'
import { ReconcileReport } from '../../../../app/commands/reconcile/reconcile-report.ts'
import { collect } from '../../../support/operator.ts'
import { EVENT_CONTEXT, FOUND_AT, found, TAGS, UPLOAD } from './fixtures.ts'

function build(dryRun = false) {
  const { lines, print } = collect()
  return { lines, report: new ReconcileReport({ print, dryRun }) }
}

const window = { from: FOUND_AT - 1000, until: FOUND_AT, why: 'so', movesWatermark: true }
const event = (own = false) =>
  eventOf(changeOf(TAGS, found({ public_id: 'bag\nof tricks' }))!, own, EVENT_CONTEXT)!

t.test('prints each search, each missing event and the totals', async (t) => {
  const { lines, report } = build()
  report.started('demo', TAGS, window)
  report.missing(event())
  report.missing(event(true))
  report.page('demo', TAGS, 500, FOUND_AT)
  report.page('demo', TAGS, 1, FOUND_AT)
  report.undecided('demo', TAGS, 2)
  report.ended('demo', { outcome: 'done' })
  t.equal(report.summarize(), 0)
  const { id } = event()
  t.match(lines.slice(0, 7), [
    'demo: resource_tags_changed from 2026-06-01T12:59:59.000Z (so) to 2026-06-01T13:00:00.000Z',
    `sent        ${id}  resource_tags_changed  bag of tricks  2026-06-01T12:01:00.000Z`,
    `sent        ${id}  resource_tags_changed  bag of tricks  2026-06-01T12:01:00.000Z  the listener's own`,
    '… demo: resource_tags_changed: 500 assets, up to 2026-06-01T13:00:00.000Z',
    '… demo: resource_tags_changed: 1 asset, up to 2026-06-01T13:00:00.000Z',
    /^… demo: resource_tags_changed: 2 changes left for the next pass: /,
    '501 changes searched, 2 events missing, 2 sent.'
  ])
  t.match(lines.slice(7), [/^Next: .*log.*Webhook Notifications/])
})

t.test('prints what a dry run would send', async (t) => {
  const { lines, report } = build(true)
  report.missing(event())
  report.ended('demo', { outcome: 'done' })
  t.equal(report.summarize(), 0)
  t.match(lines, [
    /^would send {2}[0-9a-f]{32} {2}/,
    '0 changes searched, 1 event missing, nothing was sent.',
    'Next: run it without --dry-run.'
  ])
})

t.test('prints why a kind is not searched', async (t) => {
  const { lines, report } = build()
  report.started('demo', UPLOAD, { ...window, from: FOUND_AT })
  report.skipped('demo', TAGS)
  t.match(lines, [
    /^demo: upload: already searched up to 2026-06-01T13:00:00.000Z;/,
    /^demo: resource_tags_changed left for the next pass: /
  ])
})

t.test('prints no next step if nothing is missing', async (t) => {
  const { lines, report } = build()
  report.ended('demo', { outcome: 'done' })
  t.equal(report.summarize(), 0)
  t.strictSame(lines, ['0 changes searched, 0 events missing, 0 sent.'])
})

t.test('derives the next step and the exit code from the outcomes', async (t) => {
  const until = new Date(FOUND_AT)
  const limited = { outcome: 'limited', until, why: 'spent' } as const
  const later = { ...limited, until: new Date(FOUND_AT + 1000) }
  const interrupted = { outcome: 'interrupted' } as const
  const failed = { outcome: 'failed', why: 'no\nanswer' } as const
  const ended = (...outcomes: Parameters<ReconcileReport['ended']>[1][]) => {
    const { lines, report } = build()
    for (const outcome of outcomes) report.ended('demo', outcome)
    return { exitCode: report.summarize(), lines }
  }
  t.match(ended(limited, later), {
    exitCode: 0,
    lines: [
      'demo: stopped: spent',
      'demo: stopped: spent',
      /^0 changes/,
      /^Next: run it again after 2026-06-01T13:00:01.000Z;/
    ]
  })
  t.match(ended(interrupted), {
    exitCode: 1,
    lines: ['demo: stopped: interrupted', /^0 changes/, /^Next: run it again;/]
  })
  t.match(ended({ outcome: 'done' }, failed, limited), {
    exitCode: 1,
    lines: ['demo: stopped: no answer', 'demo: stopped: spent', /^0 changes/, /^Next: fix the errors above/]
  })
})
