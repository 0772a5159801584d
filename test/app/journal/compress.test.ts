import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { compress } from '../../../app/journal/compress.ts'

t.test('compresses texts of any length', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 100_000 }), (text, times) => {
      const long = text.repeat(Math.ceil(times / (text.length + 1)))
      return gunzipSync(compress(long)).toString() === Buffer.from(long).toString()
    }),
    { numRuns: 50 }
  )
  t.pass('50 texts')
})
