import t from 'tap'
import { discardQuestion, replayQuestion } from '../../../../app/activity/pages/repair-question.ts'

const FILTER = { filter: { prefix: 'shoes/' } }
const NONE = { all: 0, failed: 0, dead: 0, isComplete: true }

t.test('a count that stopped early is a minimum', (t) => {
  const counts = { all: 10_000, failed: 0, dead: 0, isComplete: false }
  const replay = String(replayQuestion(FILTER, counts))
  t.match(replay, 'All, including those that have succeeded: at least 10,000 events')
  t.match(replay, 'value="yes" checked', 'later events may have failed')
  t.match(replay, 'Counting stopped early')
  t.match(String(discardQuestion(FILTER, { ...counts, dead: 1 })), 'Discard at least 1 event?')
  t.match(String(discardQuestion(FILTER, { ...NONE, isComplete: false })), 'Discard at least 0 events?')
  t.end()
})

t.test('says what happens to dead letters', (t) => {
  const counts = { ...NONE, all: 2, failed: 2 }
  t.match(String(replayQuestion(FILTER, { ...counts, dead: 1 })), 'Their dead letters are deleted')
  t.notMatch(String(replayQuestion(FILTER, counts)), 'dead letters')
  t.end()
})

t.test('warns if no filter is set', (t) => {
  const body = String(discardQuestion({ filter: {} }, { ...NONE, dead: 1 }))
  t.match(body, 'discards every dead event in the journal')
  t.match(body, '<input type="hidden" name="all" value="yes">')
  t.match(String(discardQuestion(FILTER, NONE)), 'Nothing to discard')
  t.match(String(replayQuestion(FILTER, NONE)), 'Nothing to replay')
  t.end()
})
