import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { pino } from 'pino'
import t from 'tap'
import { PermanentError } from '../../../../app/errors.ts'
import { SERIALIZERS } from '../../../../app/logger.ts'
import { buildPostgres } from '../../../support/postgres.ts'

const SECRET = 'pa$s/word'

const lines: string[] = []
const lost = Promise.withResolvers<void>()
const write = (line: string) => {
  lines.push(line)
  if (line.includes('DATABASE_UNAVAILABLE')) lost.resolve()
}
const log = pino({ serializers: SERIALIZERS }, { write })
const { postgres, open } = await buildPostgres(t, log)
const url = postgres.url.replace('postgres@', `postgres:${encodeURIComponent(SECRET)}@`)
const database = open(url)

const raise = (code: string, message = 'told to') =>
  database.query('try', `DO $$ BEGIN RAISE EXCEPTION '${message}' USING ERRCODE = '${code}'; END $$`)

t.test('passes values as parameters', async (t) => {
  const nasty = `'; DROP TABLE x; --`
  t.strictSame(await database.query('ask', 'SELECT $1::text AS one, $2::int AS two', [nasty, 2]), [
    { one: nasty, two: 2 }
  ])
  t.strictSame(await database.query('ask', 'SELECT 1 AS one'), [{ one: 1 }])
})

t.test('maps errors that a retry cannot fix to permanent ones', async (t) => {
  for (const code of ['0A000', '22P02', '23505', '42703', '54000']) {
    const error = await raise(code).catch((error) => error)
    t.ok(error instanceof PermanentError, code)
    t.match(error, { code: 'DATABASE_REJECTED', message: `cannot try: ${code} told to` })
  }
})

t.test('maps other errors to temporary ones', async (t) => {
  for (const code of ['08006', '25006', '28P01', '42501', '53300', '57P01', 'XX000']) {
    const error = await raise(code).catch((error) => error)
    t.notOk(error instanceof PermanentError, code)
    t.match(error, { code: 'DATABASE_UNAVAILABLE', message: `cannot try: ${code} told to` })
  }
})

t.test('has a code for a lock time-out', async (t) => {
  await t.rejects(raise('55P03'), { code: 'DATABASE_LOCKED', message: 'cannot try: 55P03 told to' })
})

t.test('retries a conflicting transaction twice', async (t) => {
  const conflict = `DO $$ BEGIN RAISE 'told to' USING ERRCODE = '40P01'; END $$`
  let runs = 0
  const conflicting = (until: number) =>
    database.transaction(async (query) => {
      if (++runs < until) await query('store', conflict)
      return 'done'
    })
  t.equal(await conflicting(3), 'done')
  t.equal(runs, 3)
  runs = 0
  await t.rejects(conflicting(9), { code: 'DATABASE_CONFLICT', message: 'cannot store: 40P01 told to' })
  t.equal(runs, 3)
})

t.test('sets time-outs and time zone per transaction only', async (t) => {
  const settings = (query: typeof database.query) =>
    query(
      'ask',
      `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
        current_setting('TimeZone') AS zone, current_setting('transaction_isolation') AS isolation`
    )
  // a new connection is answered only after the failed transaction has ended
  await database.query('ask', 'SELECT 1')
  await postgres.db.exec(
    "SET TimeZone = 'America/New_York'; SET default_transaction_isolation = 'serializable'"
  )
  const expected = [{ statement: '10s', lock: '5s', zone: 'UTC', isolation: 'read committed' }]
  t.strictSame(await settings(database.query), expected)
  t.strictSame(await database.transaction(settings), expected)
  const { rows } = await postgres.db.query(
    "SELECT current_setting('TimeZone') AS zone, current_setting('lock_timeout') AS lock"
  )
  t.strictSame(rows, [{ zone: 'America/New_York', lock: '0' }])
  t.strictSame(await database.query('ask', "SELECT '2026-06-01'::timestamptz AS at"), [
    { at: new Date('2026-06-01T00:00:00Z') }
  ])
})

t.test('names `migrate` in errors of an outdated table', async (t) => {
  for (const sql of ['SELECT * FROM nowhere', 'SELECT nothing FROM pg_class']) {
    await t.rejects(database.query('look', sql), { message: /; run: (?:npx )?node app\/main\.ts migrate$/ })
  }
})

t.test('hides row and password in errors', async (t) => {
  await database.query('make', 'CREATE TABLE strict (id int CHECK (id > 0), note text)')
  const error = await database
    .query('store', 'INSERT INTO strict VALUES (-1, $1)', ['private'])
    .catch((error) => error)
  t.match(error.message, /^cannot store: 23514 /)
  t.notMatch(JSON.stringify([error, error.stack, error.cause ?? null]), 'private')
  await t.rejects(raise('XX000', `login with ${SECRET}`), {
    message: 'cannot try: XX000 login with [password]'
  })
})

t.test('rolls back a failed transaction', async (t) => {
  await database.query('make', 'CREATE TABLE ledger (id int)')
  const failing = database.transaction(async (query) => {
    await query('store', 'INSERT INTO ledger VALUES (1)')
    throw new Error('changed my mind')
  })
  await t.rejects(failing, { message: 'changed my mind' })
  const result = await database.transaction(async (query) => {
    await query('store', 'INSERT INTO ledger VALUES (2)')
    return 'done'
  })
  t.equal(result, 'done')
  t.strictSame(await database.query('look', 'SELECT * FROM ledger'), [{ id: 2 }])
})

t.test('recovers after an outage and logs it without secrets', async (t) => {
  await database.query('open a connection', 'SELECT 1')
  await postgres.down()
  await lost.promise
  t.match(lines.join(''), /DATABASE_UNAVAILABLE.*cannot keep a connection: /)
  await t.rejects(database.query('ask', 'SELECT 1'), {
    code: 'DATABASE_UNAVAILABLE',
    message: /ECONNREFUSED/
  })
  await t.rejects(
    database.transaction(async () => {}),
    { code: 'DATABASE_UNAVAILABLE', message: /^cannot connect: ECONNREFUSED/ }
  )
  await postgres.up()
  t.strictSame(await database.query('ask', 'SELECT 1 AS one'), [{ one: 1 }])
  t.notMatch(lines.join(''), SECRET)
})

t.test('reports a certificate file that cannot be read', async (t) => {
  const nowhere = open(`${url}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`)
  const unread = { code: 'DATABASE_UNAVAILABLE', message: /: ENOENT .*\/nowhere\/ca\.pem/ }
  await t.rejects(nowhere.query('ask', 'SELECT 1'), unread)
  await t.rejects(
    nowhere.transaction(async () => {}),
    unread
  )
})

t.test('fails only the transaction whose connection breaks', async (t) => {
  const cut = database.transaction(async (query) => {
    await query('begin with something', 'SELECT 1')
    await postgres.down()
    await query('go on', 'SELECT 2')
  })
  await t.rejects(cut, { code: 'DATABASE_UNAVAILABLE' })
  await postgres.up()
})

t.test('gives up on a silent server', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const times = { connect: 20, lock: 20, statement: 20, answer: 20 }
  const waiting = open(`postgres://127.0.0.1:${port}/postgres?password=${SECRET}`, times)
  await t.rejects(waiting.query('ask', 'SELECT 1'), { code: 'DATABASE_UNAVAILABLE', message: /timeout/ })
})
