import { Writable } from 'node:stream'
import { pino } from 'pino'
import t from 'tap'
import { LogRateLimit } from '../../../app/web/log-rate-limit.ts'

t.test('allows 100 lines per minute and code, then logs the number of the others', async (t) => {
  let now = 0
  const lines: Record<string, unknown>[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    }
  })
  const limit = new LogRateLimit(pino(sink), () => now)
  const allowed = (code: string, requests: number) =>
    Array.from({ length: requests }, () => limit.allows(code)).filter(Boolean).length
  t.equal(allowed('SIGNATURE_INVALID', 1000), 100)
  t.equal(allowed('SIGNATURE_MISSING', 50), 50, 'another code has its own')
  now = 59_999
  t.equal(allowed('SIGNATURE_INVALID', 1), 0)
  t.strictSame(lines, [])
  now = 60_000
  t.equal(allowed('SIGNATURE_INVALID', 1), 1)
  t.equal(allowed('SIGNATURE_MISSING', 1), 1)
  t.equal(limit.allows('PATH_UNKNOWN', 1), true)
  t.equal(limit.allows('PATH_UNKNOWN', 1), false, 'a code may have fewer')
  t.match(lines, [{ msg: 'refused requests not logged', code: 'SIGNATURE_INVALID', requests: 901 }])
  t.equal(lines.length, 1)
})
