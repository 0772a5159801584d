import t from 'tap'
import {
  loadProgress,
  needsRenewal,
  saveProgress
} from '../../../../app/commands/schedules/schedule-progress.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'

t.test('stores progress by cloud and schedule', async (t) => {
  const state = memoryState().store.ofCommand('schedules')
  const progress = { through: '2026-06-02T03:00:00.000Z', savedAt: 0 }
  await saveProgress(state, 'demo', { name: 'unused' }, progress)
  t.strictSame(await loadProgress(state, 'demo', { name: 'unused' }), progress)
  t.equal(await loadProgress(state, 'other', { name: 'unused' }), undefined)
  t.equal(await loadProgress(state, 'demo', { name: 'other' }), undefined)
})

t.test('is old after a week', async (t) => {
  const progress = { through: '', savedAt: 0 }
  t.equal(needsRenewal(progress, 7 * 86_400_000), false)
  t.equal(needsRenewal(progress, 7 * 86_400_000 + 1), true)
})
