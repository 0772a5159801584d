import t from 'tap'
import { updateOf } from '../../../app/journal/update-expression.ts'

t.test('writes each change with placeholders, since a name may be a reserved word', async (t) => {
  t.strictSame(updateOf({ status: { set: 'done' }, startedAt: { ifAbsent: 'now' }, reason: 'remove' }), {
    expression: 'SET #status = :status, #startedAt = if_not_exists(#startedAt, :startedAt) REMOVE #reason',
    names: { '#status': 'status', '#startedAt': 'startedAt', '#reason': 'reason' },
    values: { ':status': 'done', ':startedAt': 'now' }
  })
  t.equal(updateOf({ status: { set: 'done' } }).expression, 'SET #status = :status')
})
