import t from 'tap'
import { isSameOrigin } from '../../../app/activity/same-origin.ts'

t.test('pages of this server and clients other than browsers may change data', async (t) => {
  const host = 'hooks.example:8443'
  for (const headers of [
    {},
    { host },
    { host, 'sec-fetch-site': 'same-origin' },
    // a form, under a policy that hides the referrer
    { host, origin: 'null', 'sec-fetch-site': 'same-origin' },
    { host, origin: 'https://hooks.example:8443' },
    { host: 'HOOKS.example', origin: 'http://hooks.example' }
  ]) {
    t.ok(isSameOrigin(headers), JSON.stringify(headers))
  }
})

t.test('pages of another origin may not change data', async (t) => {
  const host = 'hooks.example'
  for (const headers of [
    { host, origin: 'https://evil.example' },
    { host, origin: 'https://hooks.example:444' },
    { host, origin: 'null' },
    { host, 'sec-fetch-site': 'cross-site' },
    { host, 'sec-fetch-site': 'same-site' },
    { host, 'sec-fetch-site': 'none' },
    { host, origin: 'https://hooks.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'https://hooks.example' }
  ]) {
    t.notOk(isSameOrigin(headers), JSON.stringify(headers))
  }
})
