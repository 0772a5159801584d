import t from 'tap'
import { Lifecycle } from '../../../app/web/lifecycle.ts'

t.test('starts in the state `starting`', async (t) => {
  t.equal(new Lifecycle().state, 'starting')
})
