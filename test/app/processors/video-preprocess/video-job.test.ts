import t from 'tap'
import type { AssetEvent, State } from '../../../../app/listener.ts'
import { isStarted, type Job, Jobs } from '../../../../app/processors/video-preprocess/video-job.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'

const job: Job = {
  upload: 'upload-1',
  status: 'processing',
  size: 'large',
  verdict: 'large, 57.2 MB',
  asset: { publicId: 'clip' },
  transformations: ['q_auto/mp4'],
  made: [],
  reasons: [],
  batchId: 'batch-1',
  startedAt: '2026-06-01T12:00:00.000Z'
}

t.test('finds a job by upload and by batch', async (t) => {
  const jobs = new Jobs(memoryState().state)
  t.equal(await jobs.ofUpload('upload-1'), undefined)
  t.equal(await jobs.ofBatch('batch-1'), undefined)
  await jobs.save(job)
  t.strictSame(await jobs.ofUpload('upload-1'), job)
  t.strictSame(await jobs.ofBatch('batch-1'), job)
  t.equal(await jobs.ofBatch('upload-1'), undefined)
})

t.test('finds a job without a batch by an earlier batch', async (t) => {
  const jobs = new Jobs(memoryState().state)
  await jobs.save(job)
  const { batchId, ...done } = { ...job, status: 'done' as const }
  await jobs.save(done)
  t.strictSame(await jobs.ofBatch('batch-1'), done)
})

t.test('never saves a job without its batch', async (t) => {
  const { state } = memoryState()
  let writes = 0
  const killed: State = {
    ...state,
    async set(key, value) {
      writes++
      if (writes > 1) throw new Error('killed')
      await state.set(key, value)
    }
  }
  await t.rejects(new Jobs(killed).save(job), /killed/)
  t.equal(await new Jobs(state).ofUpload('upload-1'), undefined)
  t.equal(
    await new Jobs(state).ofBatch('batch-1'),
    undefined,
    'a batch of a job that is not there is not known'
  )
})

t.test('restarts failures on redrive, everything on replay', async (t) => {
  const redrive: AssetEvent['run'] = { kind: 'redrive', id: 'run-1' }
  const replay: AssetEvent['run'] = { kind: 'replay', id: 'run-1' }
  for (const status of ['processing', 'done', 'failed'] as const) {
    t.ok(isStarted({ ...job, status }, undefined), `${status}, delivered again`)
    t.ok(isStarted({ ...job, status, run: 'run-1' }, redrive), `${status}, redriven in this run already`)
    t.ok(isStarted({ ...job, status, run: 'run-1' }, replay), `${status}, replayed in this run already`)
    t.notOk(isStarted({ ...job, status, run: 'run-0' }, replay), `${status}, replayed`)
    t.equal(isStarted({ ...job, status, run: 'run-0' }, redrive), status !== 'failed', `${status}, redriven`)
  }
})

t.test('restarts missing and failed parts on a redrive of a replay', async (t) => {
  const redrive: AssetEvent['run'] = { kind: 'redrive', id: 'run-2', replay: 'run-1' }
  const ofReplay = { run: 'run-1', replay: 'run-1' }
  for (const status of ['processing', 'done', 'failed'] as const) {
    const hasNotFailed = status !== 'failed'
    t.notOk(isStarted({ ...job, status }, redrive), `${status} before the replay`)
    t.notOk(isStarted({ ...job, status, run: 'run-0', replay: 'run-0' }, redrive), `${status} in another`)
    t.equal(isStarted({ ...job, status, ...ofReplay }, redrive), hasNotFailed, `${status} in it`)
    const again = { ...redrive, id: 'run-3' }
    t.equal(isStarted({ ...job, status, ...ofReplay, run: 'run-2' }, again), hasNotFailed, `${status} since`)
    const ofTheEvent: AssetEvent['run'] = { kind: 'redrive', id: 'run-4' }
    t.equal(isStarted({ ...job, status, ...ofReplay }, ofTheEvent), hasNotFailed, `${status} in a later one`)
  }
})
