import t from 'tap'
import { replayOf } from '../../../app/ingest/event.ts'

t.test('a replay, and what is redriven out of one, belongs to it', async (t) => {
  t.equal(replayOf(undefined), undefined)
  t.equal(replayOf({ kind: 'redrive', id: 'r1' }), undefined)
  t.equal(replayOf({ kind: 'replay', id: 'r2' }), 'r2')
  t.equal(replayOf({ kind: 'redrive', id: 'r3', replay: 'r2' }), 'r2')
})
