import t from 'tap'
import { isEventOf, replayOf } from '../../../app/ingest/event.ts'
import { sampleEvent } from '../../support/events.ts'

t.test('returns the replay of a replayed or redriven event', async (t) => {
  t.equal(replayOf(undefined), undefined)
  t.equal(replayOf({ kind: 'redrive', id: 'r1' }), undefined)
  t.equal(replayOf({ kind: 'replay', id: 'r2' }), 'r2')
  t.equal(replayOf({ kind: 'redrive', id: 'r3', replay: 'r2' }), 'r2')
})

t.test('recognizes an event of some types', async (t) => {
  t.equal(isEventOf(sampleEvent('rename'), 'upload', 'rename'), true)
  t.equal(isEventOf(sampleEvent('delete'), 'upload', 'rename'), false)
})
