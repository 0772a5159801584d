import t from 'tap'
import { schedules } from '../../../../app/commands/doctor/schedules-check.ts'
import { saveProgress } from '../../../../app/commands/schedules/schedule-progress.ts'
import { schedule } from '../../../../app/listener.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'

const NOW = Date.parse('2026-06-02T03:59:00.000Z')
const unused = schedule({ name: 'unused', cron: '0 3 * * *', expression: 'tags=old' })

async function findings(through: string | undefined, changes: Partial<typeof unused> = {}, now = NOW) {
  const state = memoryState().store.ofCommand('schedules')
  if (through !== undefined) await saveProgress(state, 'demo', unused, { through, savedAt: 0 })
  const check = schedules({
    schedules: [{ ...unused, ...changes }],
    cloudNames: ['demo'],
    state,
    clock: () => now
  })
  return check.run(new AbortController().signal)
}

t.test('warns of a schedule that nothing runs', async (t) => {
  t.match(await findings(undefined), [{ level: 'warning', message: /^demo: unused: never ran; run / }])
  t.match(await findings('2026-05-30T03:00:00.000Z'), [
    { level: 'warning', message: /^demo: unused: has been due since 2026-06-01T03:00:00.000Z; run / }
  ])
})

t.test('gives a run an hour', async (t) => {
  const yesterday = '2026-06-01T03:00:00.000Z'
  t.match(await findings(yesterday), [
    { level: 'ok', message: 'demo: unused: next at 2026-06-03T03:00:00.000Z' }
  ])
  t.match(await findings(yesterday, {}, NOW + 60_000), [{ level: 'warning' }])
  t.match(await findings(yesterday, { cron: '0 3 31 2 *' }), [{ level: 'ok', message: /never due/ }])
})

t.test('checks only the clouds of the schedule', async (t) => {
  t.strictSame(await findings(undefined, { environments: ['other'] }), [])
  t.match(await findings(undefined, { environments: ['demo'] }), [{ level: 'warning' }])
})
