import t from 'tap'
import { changeEvent } from '../../../../app/commands/reconcile/found-events.ts'
import { Report } from '../../../../app/commands/reconcile/reconcile-report.ts'
import { collect } from '../../../support/operator.ts'
import { CONTEXT, FOUND_AT, found, TAGS, UPLOAD } from './fixtures.ts'

function build(dryRun = false) {
  const { lines, print } = collect()
  return { lines, report: new Report({ print, dryRun }) }
}

const window = { from: FOUND_AT - 1000, until: FOUND_AT, why: 'so', keeps: true }
const event = (own = false) => changeEvent(TAGS, found({ public_id: 'bag\nof tricks' }), own, CONTEXT)

t.test('what is looked at, each event that is missing, and how it went', async (t) => {
  const { lines, report } = build()
  const pass = report.of('demo')
  pass.begins(TAGS, window)
  pass.found(event())
  pass.found(event(true))
  pass.page(TAGS, 500, FOUND_AT)
  pass.page(TAGS, 1, FOUND_AT)
  pass.undecided(TAGS, 2)
  report.ended('demo', { outcome: 'done' })
  t.equal(report.summarize(), 0)
  const { id } = event()
  t.strictSame(lines.slice(0, 7), [
    'demo: resource_tags_changed from 2026-06-01T12:59:59.000Z (so) to 2026-06-01T13:00:00.000Z',
    `sent        ${id}  resource_tags_changed  bag of tricks  2026-06-01T12:01:00.000Z`,
    `sent        ${id}  resource_tags_changed  bag of tricks  2026-06-01T12:01:00.000Z  the listener's own`,
    '… demo: resource_tags_changed: 500 assets, up to 2026-06-01T13:00:00.000Z',
    '… demo: resource_tags_changed: 1 asset, up to 2026-06-01T13:00:00.000Z',
    '… demo: resource_tags_changed: 2 changes left for the next pass: another event of the asset is not finished, or may still be notified',
    '501 changes looked at, 2 events missing, 2 sent.'
  ])
  t.match(lines.slice(7), [/^Next: the worker's log .*Webhook Notifications/])
})

t.test('a dry run says what would be sent', async (t) => {
  const { lines, report } = build(true)
  report.of('demo').found(event())
  report.ended('demo', { outcome: 'done' })
  t.equal(report.summarize(), 0)
  t.match(lines, [
    /^would send {2}[0-9a-f]{32} {2}/,
    '0 changes looked at, 1 event missing, nothing was sent.',
    'Next: run it without --dry-run.'
  ])
})

t.test('a side that has nothing to look at, and one that cannot be looked at', async (t) => {
  const { lines, report } = build()
  report.of('demo').begins(UPLOAD, { ...window, from: FOUND_AT })
  report.of('demo').skipped(TAGS)
  t.match(lines, [
    'demo: upload: looked at up to 2026-06-01T13:00:00.000Z already; what is younger may still be notified',
    /^demo: resource_tags_changed left for the next pass: events wait in the queue/
  ])
})

t.test('when nothing is missing there is nothing to do next', async (t) => {
  const { lines, report } = build()
  report.ended('demo', { outcome: 'done' })
  t.equal(report.summarize(), 0)
  t.strictSame(lines, ['0 changes looked at, 0 events missing, 0 sent.'])
})

t.test('how a pass ended decides what to do next, and the exit code', async (t) => {
  const until = new Date(FOUND_AT)
  const limited = { outcome: 'limited', until, why: 'spent' } as const
  const later = { ...limited, until: new Date(FOUND_AT + 1000) }
  const interrupted = { outcome: 'interrupted' } as const
  const failed = { outcome: 'failed', why: 'no\nanswer' } as const
  const ended = (...ends: Parameters<Report['ended']>[1][]) => {
    const { lines, report } = build()
    for (const end of ends) report.ended('demo', end)
    return { exitCode: report.summarize(), lines }
  }
  t.match(ended(limited, later), {
    exitCode: 0,
    lines: [
      'demo: stopped: spent',
      'demo: stopped: spent',
      /^0 changes/,
      'Next: run it again after 2026-06-01T13:00:01.000Z; it goes on where it was.'
    ]
  })
  t.match(ended(interrupted), {
    exitCode: 1,
    lines: ['demo: stopped: interrupted', /^0 changes/, 'Next: run it again; it goes on where it was.']
  })
  t.match(ended({ outcome: 'done' }, failed, limited), {
    exitCode: 1,
    lines: [
      'demo: stopped: no answer',
      'demo: stopped: spent',
      /^0 changes/,
      /^Next: mend what is said above/
    ]
  })
})
