import t from 'tap'
import { METRICS } from '../../../app/metrics/metric-names.ts'

t.test('metric names are valid for CloudWatch and differ from dimensions', async (t) => {
  for (const [name, { dimensions, meaning }] of Object.entries(METRICS)) {
    t.match(name, /^[A-Z][A-Za-z]{2,60}$/)
    t.notOk(['Role', 'Reason', 'Processor', 'Type'].includes(name))
    for (const set of dimensions) t.equal(set[0], 'Role', 'always has the role')
    t.ok(meaning.length > 0)
  }
})
