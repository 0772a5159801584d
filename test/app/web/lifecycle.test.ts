import t from 'tap'
import { Lifecycle } from '../../../app/web/lifecycle.ts'

t.test('a role is starting until it says otherwise', async (t) => {
  t.equal(new Lifecycle().state, 'starting')
})
