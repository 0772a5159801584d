import t from 'tap'
import { SchedulesReport } from '../../../../app/commands/schedules/schedules-report.ts'
import { schedule } from '../../../../app/listener.ts'
import { collect, eventOf } from '../../../support/operator.ts'

const unused = schedule({ name: 'unused', cron: '0 3 * * *', expression: 'tags=old' })

function build(options: { dryRun?: boolean; isQuiet?: boolean } = {}) {
  const { lines, print } = collect()
  return {
    lines,
    report: new SchedulesReport({ print, dryRun: false, isQuiet: false, clock: () => 0, ...options })
  }
}

t.test('prints outcomes, totals and the next step', async (t) => {
  const { lines, report } = build()
  report.events([eventOf('a'), eventOf('b')])
  report.ended('demo', unused, { outcome: 'idle', isNew: true })
  report.ended('demo', unused, { outcome: 'done', slot: '2026-06-02T03:00:00.000Z', found: 2 })
  report.ended('demo', unused, { outcome: 'limited', why: 'few calls are left' })
  t.equal(report.summarize(), 0)
  t.strictSame(lines, [
    'demo  unused  new; next at 1970-01-01T03:00:00.000Z',
    'demo  unused  due at 2026-06-02T03:00:00.000Z: 2 assets found',
    'demo  unused  stopped: few calls are left',
    '2 schedules due, 2 assets found, 2 sent.',
    'Next: run it again; it resumes.'
  ])
})

t.test('an impossible date is never due', async (t) => {
  const { lines, report } = build()
  report.ended('demo', { ...unused, cron: '0 3 31 2 *' }, { outcome: 'idle', isNew: false })
  t.match(lines[0], 'not due; never due again')
})

t.test('when quiet, prints no idle schedule and no summary, but fails all the same', async (t) => {
  const { lines, report } = build({ isQuiet: true })
  report.ended('demo', unused, { outcome: 'idle', isNew: false })
  report.ended('demo', unused, { outcome: 'failed', why: 'access denied' })
  t.equal(report.summarize(), 1)
  t.strictSame(lines, ['demo  unused  stopped: access denied'])
})

t.test('a dry run prints the events', async (t) => {
  const { lines, report } = build({ dryRun: true })
  report.events([{ ...eventOf('a'), payload: { schedule: 'unused' } }])
  report.ended('demo', unused, { outcome: 'done', slot: '2026-06-02T03:00:00.000Z', found: 1 })
  t.equal(report.summarize(), 0)
  t.equal(lines[0], 'would send  a  unused  asset-of-a')
  t.strictSame(lines.slice(-2), [
    '1 schedule due, 1 asset found, nothing was sent.',
    'Next: run it without --dry-run.'
  ])
})

t.test('says what to do after a failure, an interruption, and without schedules', async (t) => {
  const failed = build()
  failed.report.ended('demo', unused, { outcome: 'failed', why: 'access denied' })
  t.equal(failed.report.summarize(), 1)
  t.match(failed.lines.at(-1), /^Next: fix the errors/)
  const interrupted = build()
  interrupted.report.ended('demo', unused, { outcome: 'interrupted' })
  t.equal(interrupted.report.summarize(), 1)
  t.match(interrupted.lines, [/interrupted/, /due/, /^Next: run it again/])
  const none = build()
  t.equal(none.report.summarize(), 0)
  t.match(none.lines.at(-1), /^Next: add schedule/)
  const idle = build({ dryRun: true })
  idle.report.ended('demo', unused, { outcome: 'idle', isNew: false })
  t.equal(idle.report.summarize(), 0)
  t.match(idle.lines.at(-1), /nothing was sent\.$/)
})
