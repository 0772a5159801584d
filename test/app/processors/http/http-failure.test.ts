import t from 'tap'
import { httpFailure, isTemporary, retryAfterTime } from '../../../../app/processors/http/http-failure.ts'

const NOW = Date.parse('2026-06-01T12:00:00.000Z')
const answer = { from: 'https://a.example', now: NOW }

t.test('retries 408, 425, 429 and 5xx, and rejects the rest', async (t) => {
  for (const status of [408, 425, 429, 500, 503, 599]) {
    t.ok(isTemporary(status))
    t.match(httpFailure({ ...answer, status }, { code: 'FORWARD' }), {
      name: 'ListenerError',
      code: 'FORWARD_UNAVAILABLE',
      message: `https://a.example answered ${status}`
    })
  }
  for (const status of [304, 400, 401, 403, 404, 410, 422]) {
    t.notOk(isTemporary(status))
    t.match(httpFailure({ ...answer, status }, { code: 'CMS' }), {
      name: 'PermanentError',
      code: 'CMS_REJECTED'
    })
  }
})

t.test('takes the excerpt and the remedy into the message', async (t) => {
  const names = { code: 'CMS', remedyFor: (status: number) => (status === 401 ? 'check it' : undefined) }
  const message = (status: number, excerpt?: string) =>
    httpFailure({ ...answer, status, ...(excerpt !== undefined && { excerpt }) }, names).message
  t.equal(message(401, 'bad token'), 'https://a.example answered 401: bad token (check it)')
  t.equal(message(404, ''), 'https://a.example answered 404')
  t.match(message(302), /answered 302 \(redirects are not followed/)
})

t.test('retries the statuses that the caller names', async (t) => {
  const names = { code: 'CMS', isTemporary: (status: number) => status === 401 }
  t.match(httpFailure({ ...answer, status: 401 }, names), { code: 'CMS_UNAVAILABLE' })
  t.match(httpFailure({ ...answer, status: 503 }, names), { code: 'CMS_REJECTED' })
})

t.test('honours Retry-After up to a day', async (t) => {
  const day = new Date(NOW + 86_400_000)
  for (const [retryAfter, until] of [
    ['120', new Date(NOW + 120_000)],
    ['Mon, 01 Jun 2026 12:05:00 GMT', new Date(NOW + 300_000)],
    ['99999999999999999999', day],
    ['Fri, 01 Jan 2100 00:00:00 GMT', day]
  ] as const) {
    t.match(httpFailure({ ...answer, status: 503, retryAfter }, { code: 'CMS' }), {
      name: 'RetryLaterError',
      code: 'CMS_UNAVAILABLE',
      until
    })
  }
})

t.test('ignores an invalid or past Retry-After', async (t) => {
  const invalid = ['soon', '', '-1', '1e3', '0', 'Nobody knows', 'Mon, 01 Jun 2026 11:00:00 GMT']
  for (const value of [...invalid, null, undefined])
    t.equal(retryAfterTime(value, NOW), undefined, `${value}`)
})
