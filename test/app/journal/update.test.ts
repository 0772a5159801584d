import t from 'tap'
import { updateOf } from '../../../app/journal/update.ts'

t.test('each change is an expression, with placeholders for what may be a reserved word', async (t) => {
  t.strictSame(updateOf({ status: { set: 'done' }, startedAt: { ifAbsent: 'now' }, attempts: { add: -1 } }), {
    set: ['#status = :status', '#startedAt = if_not_exists(#startedAt, :startedAt)'],
    add: ['#attempts :attempts'],
    names: { '#status': 'status', '#startedAt': 'startedAt', '#attempts': 'attempts' },
    values: { ':status': 'done', ':startedAt': 'now', ':attempts': -1 }
  })
})
