import t from 'tap'
import { RedriveReport, type ReportOptions } from '../../../../app/commands/redrive/redrive-report.ts'
import type { ReceivedDeadLetter } from '../../../../app/queue/dead-letter-reader.ts'
import { collect, eventOf, REASON } from '../../../support/operator.ts'

function build(options: Partial<ReportOptions> = {}) {
  const { lines, print } = collect()
  return {
    lines,
    report: new RedriveReport({ print, runId: 'r1', dryRun: false, ids: [], all: true, ...options })
  }
}

const deadLetter = (about: Partial<ReceivedDeadLetter> = {}): ReceivedDeadLetter => ({
  id: 'm1',
  receiptHandle: 'h1',
  event: eventOf('e1'),
  reason: REASON,
  sentAt: Date.parse('2026-06-01T12:00:00Z'),
  bytes: 1,
  ...about
})

t.test('prints outcome, event, asset, time, processor and reason', async (t) => {
  const { lines, report } = build()
  report.add(deadLetter(), 'moved')
  report.add(
    deadLetter({ event: undefined, reason: { code: 'MESSAGE_UNREADABLE', message: 'why' } }),
    'unreadable'
  )
  report.add(deadLetter({ reason: undefined }), 'not moved', 'it is too large')
  t.match(lines, [
    'moved         e1  upload  asset-of-e1  2026-06-01T12:00:00.000Z  tagger  PERMANENT: tagging failed',
    'unreadable    message m1  2026-06-01T12:00:00.000Z  MESSAGE_UNREADABLE: why',
    /^not moved {5}e1 {2}upload {2}asset-of-e1 {2}2026-06-01T12:00:00.000Z {2}.*SQS.* {2}\(it is too large\)$/
  ])
})

t.test('prints totals and the next step', async (t) => {
  const { lines, report } = build()
  report.add(deadLetter(), 'moved')
  report.progress()
  t.equal(report.summarize(), 0)
  t.strictSame(lines.slice(1, 3), [
    '… 1 dead letter read, 1 moved',
    'Moved 1 event (1 dead letter) as run r1. Left: none.'
  ])
  t.match(lines.at(-1), /^Next: /)
})

t.test('says so if the queue is empty', async (t) => {
  const { lines, report } = build()
  t.equal(report.summarize(), 0)
  t.strictSame(lines, ['The dead-letter queue is empty.'])
})

t.test('counts what is left, by reason', async (t) => {
  const { lines, report } = build()
  for (const outcome of [
    'not selected',
    'not selected',
    'too new',
    'failed again',
    'unreadable',
    'not deleted',
    'not moved'
  ] as const) {
    report.add(deadLetter(), outcome)
  }
  t.equal(report.summarize(), 1)
  t.match(
    lines.at(-3),
    new RegExp(
      [
        '^Moved 1 event \\(1 dead letter\\) as run r1\\. Left: 2 not selected',
        '1 added during this run',
        '1 failed again',
        '1 unreadable .*',
        '1 moved but not deleted.*',
        '1 not moved\\.$'
      ].join(', ')
    )
  )
  t.match(lines.at(-2), /^Next: fix .*run it again/)
  t.match(lines.at(-1), /failed again/)
})

t.test('fails if a selected dead letter was not moved', async (t) => {
  const code = (
    outcome: 'unreadable' | 'not deleted' | 'not moved' | 'not selected',
    options: Partial<ReportOptions> = {}
  ) => {
    const { report } = build(options)
    report.add(deadLetter(), outcome)
    return report.summarize()
  }
  t.equal(code('not selected'), 0)
  t.equal(code('not moved'), 1)
  t.equal(code('not deleted'), 1)
  t.equal(code('unreadable'), 1)
  t.equal(code('unreadable', { all: false }), 0)
  t.equal(code('unreadable', { dryRun: true }), 0)
  t.equal(code('not selected', { ids: ['e1'] }), 0)
  t.equal(code('not selected', { ids: ['e2'] }), 1)
})

t.test('prints the next step after a dry run', async (t) => {
  const { lines, report } = build({ dryRun: true })
  report.add(deadLetter(), 'would move')
  t.equal(report.summarize(), 0)
  t.strictSame(lines.slice(1), [
    'Would move 1 event (1 dead letter); nothing was moved. Left: none.',
    'Next: run it without --dry-run.'
  ])
})

t.test('prints why it stopped', async (t) => {
  const { lines, report } = build()
  report.stopped = 'interrupted'
  t.equal(report.summarize(), 1)
  t.match(lines, ['stopped: interrupted', /^Moved 0 events/, /^Next: .*run it again/])
})
