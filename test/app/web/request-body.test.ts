import { PassThrough, Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { readBody } from '../../../app/web/request-body.ts'

const MINUTE = 60_000

t.test('reads a body in any chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 })),
      fc.nat(20),
      async (chunks, more) => {
        const whole = Buffer.concat(chunks)
        const body = await readBody(Readable.from(chunks.map(Buffer.from)), {
          expectedBytes: whole.length + more,
          withinMs: MINUTE
        })
        return body.equals(whole)
      }
    )
  )
})

t.test('rejects a body larger than reserved and drops the rest', async (t) => {
  const payload = new PassThrough()
  const reading = readBody(payload, { expectedBytes: 3, withinMs: MINUTE })
  payload.write('ab')
  payload.write('cd')
  await t.rejects(reading, { code: 'BODY_TOO_LARGE', statusCode: 413 })
  payload.end('ef')
  await new Promise((resolve) => payload.once('end', resolve))
})

t.test('rejects a slow sender', async (t) => {
  const payload = new PassThrough()
  payload.write('ab')
  await t.rejects(readBody(payload, { expectedBytes: 3, withinMs: 1 }), {
    code: 'BODY_TOO_SLOW',
    statusCode: 408
  })
  t.doesNotThrow(() => payload.destroy(new Error('reset')))
})

t.test('rejects if the sender disconnects', async (t) => {
  for (const error of [undefined, new Error('reset')]) {
    const payload = new PassThrough()
    const reading = readBody(payload, { expectedBytes: 3, withinMs: MINUTE })
    payload.destroy(error)
    await t.rejects(reading, { code: 'BODY_INCOMPLETE', statusCode: 400 })
  }
})
