import t from 'tap'
import { MAX_REASON_LENGTH, ReasonSchema } from '../../../app/activity/discard-reason.ts'

t.test('a reason has text', (t) => {
  t.equal(ReasonSchema.parse('  the asset is gone '), 'the asset is gone')
  for (const given of ['', ' \n', 'x'.repeat(MAX_REASON_LENGTH + 1), 5])
    t.notOk(ReasonSchema.safeParse(given).success)
  t.end()
})
