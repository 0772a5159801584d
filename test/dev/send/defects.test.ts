import { test } from 'tap'
import { DEFECTS, signingOffset } from '../../../dev/send/defects.ts'

test('only stale and future notifications are signed at another time, outside of the window', async (t) => {
  t.equal(signingOffset('stale'), -10_800)
  t.equal(signingOffset('future'), 3600)
  t.same([signingOffset(undefined), signingOffset('tampered'), signingOffset('unsigned')], [0, 0, 0])
})

test('each defect is answered with a code of its own kind', async (t) => {
  t.same(
    Object.entries(DEFECTS).map(([name, { code }]) => [name, code]),
    [
      ['tampered', 'SIGNATURE_INVALID'],
      ['stale', 'SIGNATURE_EXPIRED'],
      ['future', 'SIGNATURE_EXPIRED'],
      ['unsigned', 'SIGNATURE_MISSING']
    ]
  )
})
