import t from 'tap'
import type { Letter } from '../../../../app/commands/redrive/dead-letter-reader.ts'
import { RedriveReport, type ReportOptions } from '../../../../app/commands/redrive/redrive-report.ts'
import { collect, eventOf, REASON } from '../../../support/operator.ts'

function build(options: Partial<ReportOptions> = {}) {
  const { lines, print } = collect()
  return {
    lines,
    report: new RedriveReport({ print, runId: 'r1', dryRun: false, ids: [], all: true, ...options })
  }
}

const letter = (about: Partial<Letter> = {}): Letter => ({
  id: 'm1',
  receiptHandle: 'h1',
  event: eventOf('e1'),
  reason: REASON,
  sentAt: Date.parse('2026-06-01T12:00:00Z'),
  bytes: 1,
  ...about
})

t.test('a letter is a line: fate, event, asset, when, processor, reason', async (t) => {
  const { lines, report } = build()
  report.settled(letter(), 'moved')
  report.settled(
    letter({ event: undefined, reason: { code: 'MESSAGE_UNREADABLE', message: 'why' } }),
    'unreadable'
  )
  report.settled(letter({ reason: undefined }), 'failed', 'it is too large')
  t.strictSame(lines, [
    'moved       e1  upload  asset-of-e1  2026-06-01T12:00:00.000Z  tagger  PERMANENT: the tag machine is broken',
    'unreadable  message m1  2026-06-01T12:00:00.000Z  MESSAGE_UNREADABLE: why',
    'not moved   e1  upload  asset-of-e1  2026-06-01T12:00:00.000Z  put aside by SQS: received too often  (it is too large)'
  ])
})

t.test('everything moved', async (t) => {
  const { lines, report } = build()
  report.settled(letter(), 'moved')
  report.progress()
  t.equal(report.summarize(), 0)
  t.strictSame(lines.slice(1, 3), [
    '… 1 letter read, 1 letter moved',
    'Moved 1 event (1 letter) as run r1. Left: none.'
  ])
  t.match(lines.at(-1), /^Next: the worker's log/)
})

t.test('nothing to move', async (t) => {
  const { lines, report } = build()
  t.equal(report.summarize(), 0)
  t.strictSame(lines, ['The dead-letter queue has no letters.'])
})

t.test('what is left is counted, with why', async (t) => {
  const { lines, report } = build()
  for (const fate of ['kept', 'kept', 'late', 'died again', 'unreadable', 'undeleted', 'failed'] as const) {
    report.settled(letter(), fate)
  }
  t.equal(report.summarize(), 1)
  t.match(
    lines.at(-3),
    /^Moved 1 event \(1 letter\) as run r1\. Left: 2 not asked for, 1 put aside after this began, 1 died again, 1 unreadable .*, 1 moved but not deleted.*, 1 not moved\.$/
  )
  t.match(lines.at(-2), /^Next: mend what is said above, and run it again/)
  t.match(lines.at(-1), /^Some died again/)
})

t.test('the exit code says whether what was asked for was done', async (t) => {
  const code = (
    fate: 'unreadable' | 'undeleted' | 'failed' | 'kept',
    options: Partial<ReportOptions> = {}
  ) => {
    const { report } = build(options)
    report.settled(letter(), fate)
    return report.summarize()
  }
  t.equal(code('kept'), 0)
  t.equal(code('failed'), 1)
  t.equal(code('undeleted'), 1)
  t.equal(code('unreadable'), 1)
  t.equal(code('unreadable', { all: false }), 0)
  t.equal(code('unreadable', { dryRun: true }), 0)
  t.equal(code('kept', { ids: ['e1'] }), 0)
  t.equal(code('kept', { ids: ['e2'] }), 1)
})

t.test('a dry run says how to go on', async (t) => {
  const { lines, report } = build({ dryRun: true })
  report.settled(letter(), 'movable')
  t.equal(report.summarize(), 0)
  t.strictSame(lines.slice(1), [
    'Would move 1 event (1 letter); nothing was moved. Left: none.',
    'Next: run it without --dry-run.'
  ])
})

t.test('a stop is told, with why', async (t) => {
  const { lines, report } = build()
  report.stopped = 'interrupted'
  t.equal(report.summarize(), 1)
  t.match(lines, ['stopped: interrupted', /^Moved 0 events/, /^Next: .*run it again/])
})
