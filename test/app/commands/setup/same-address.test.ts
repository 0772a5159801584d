import t from 'tap'
import { isSameAddress } from '../../../../app/commands/setup/same-address.ts'

const HOOK = 'https://example.com/webhooks/cloudinary'

t.test('recognizes different spellings of an address', (t) => {
  for (const other of [HOOK, `${HOOK}/`, 'https://EXAMPLE.com:443/webhooks/cloudinary'])
    t.equal(isSameAddress(HOOK, other), true, other)
  t.equal(isSameAddress('https://example.com', 'https://example.com/'), true)
  t.equal(isSameAddress(`${HOOK}?a=1`, `${HOOK}/?a=1`), true)
  t.equal(isSameAddress('poll://orders', 'poll://orders'), true)
  for (const other of [`${HOOK}/demo`, `${HOOK}?a=1`, 'http://example.com/webhooks/cloudinary', 'a flow'])
    t.equal(isSameAddress(HOOK, other), false, other)
  t.end()
})
