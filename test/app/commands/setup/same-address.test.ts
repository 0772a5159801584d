import t from 'tap'
import { isSamePlace } from '../../../../app/commands/setup/same-address.ts'

const HOOK = 'https://example.com/webhooks/cloudinary'

t.test('a place may be written in several ways', (t) => {
  for (const other of [HOOK, `${HOOK}/`, 'https://EXAMPLE.com:443/webhooks/cloudinary'])
    t.equal(isSamePlace(HOOK, other), true, other)
  t.equal(isSamePlace('https://example.com', 'https://example.com/'), true)
  t.equal(isSamePlace(`${HOOK}?a=1`, `${HOOK}/?a=1`), true)
  t.equal(isSamePlace('poll://orders', 'poll://orders'), true)
  for (const other of [`${HOOK}/demo`, `${HOOK}?a=1`, 'http://example.com/webhooks/cloudinary', 'a flow'])
    t.equal(isSamePlace(HOOK, other), false, other)
  t.end()
})
