import t from 'tap'
import { isoMicroseconds, isoOffset, isoSeconds, plainUtc } from '../../../dev/cloudinary/times.ts'

t.test('formats a time in each of the formats of Cloudinary', async (t) => {
  const time = Date.UTC(2024, 9, 4, 14, 0, 0, 123)
  t.equal(isoSeconds(time), '2024-10-04T14:00:00Z')
  t.equal(isoOffset(time), '2024-10-04T14:00:00+00:00')
  t.equal(isoMicroseconds(time), '2024-10-04T14:00:00.123000Z')
  t.equal(plainUtc(time), '2024-10-04 14:00:00 UTC')
})
