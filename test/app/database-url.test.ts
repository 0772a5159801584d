import t from 'tap'
import { passwordsOf, problemOfDatabaseUrl } from '../../app/database-url.ts'

t.test('accepts URLs that `pg` can use', async (t) => {
  const urls = [
    'postgres://user:word@db:5432/app',
    'postgresql://db/app',
    'postgres:///app?host=/var/run/postgresql',
    'postgres://user:word@/app?host=/var/run/postgresql',
    'postgres://%2Fvar%2Frun%2Fpostgresql/app',
    'postgres://[::1]:5432/app',
    ...['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'].map(
      (mode) => `postgres://db/app?sslmode=${mode}`
    )
  ]
  for (const url of urls) t.equal(problemOfDatabaseUrl(url), undefined, url)
})

t.test('says what is wrong with other URLs, without the password', async (t) => {
  const problems: [string, RegExp][] = [
    ['mysql://user:word@db/app', /must be postgres:/],
    ['db:5432', /must be postgres:/],
    ['user:word@db/app', /must be postgres:/],
    ['postgres://user:word@one:1,two:2/app', /must be postgres:/],
    ['postgres:///app', /no host; .*\?host=/],
    ['postgres://user:word@/app?host=', /no host/],
    ['postgres://user:word@db/app?sslmode=allow', /its sslmode "allow" must be one of disable, prefer,/],
    ['postgres://user:word@db/app?sslmode=', /its sslmode "" must be one of/]
  ]
  for (const [url, problem] of problems) {
    t.match(problemOfDatabaseUrl(url), problem, url)
    t.notMatch(problemOfDatabaseUrl(url), 'word')
  }
})

t.test('finds encoded and decoded passwords', async (t) => {
  t.strictSame(passwordsOf('postgres://user:p%24s@db/app'), ['p%24s', 'p$s'])
  t.strictSame(passwordsOf('postgres://user:word@/app?host=/tmp'), ['word', 'word'])
  t.strictSame(passwordsOf('postgres://db/app?password=other'), ['other'])
  t.strictSame(passwordsOf('postgres://db/app'), [])
})
