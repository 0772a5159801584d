import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { Client, Pool } from 'pg'
import t, { type Test } from 'tap'
import { startPostgres } from '../../dev/embedded-postgres.ts'
import { sharedPostgres } from './shared-postgres.ts'

const cache = `${t.testdir()}/kept`
const empty = `${cache}/empty.tar`
const created = await startPostgres(empty)
const tables = "SELECT FROM pg_tables WHERE schemaname = 'public'"
const createdTables = (await created.db.query(tables)).rows
await created.db.exec('CREATE TABLE not_kept ()')
await created.stop()
const postgres = await sharedPostgres(empty)

const portOf = (url: string) => Number(new URL(url).port)

t.test('a client needs only its environment', async (t) => {
  const client = new Client({ connectionString: postgres.environment.DATABASE_URL })
  await client.connect()
  t.match((await client.query('SELECT version()')).rows, [{ version: /^PostgreSQL/ }])
  await client.end()
})

t.test('creates the empty database once, and caches it', async (t) => {
  t.strictSame(createdTables, [])
  t.strictSame((await postgres.db.query(tables)).rows, [])
  t.strictSame(await readdir(cache), ['empty.tar'])
})

t.test('answers concurrent connections correctly', async (t) => {
  const pool = new Pool({ connectionString: postgres.url, max: 8 })
  const asked = Array.from({ length: 80 }, (_, index) => String(index).padEnd(index * 1000, 'x'))
  const answers = await Promise.all(asked.map((text) => pool.query('SELECT $1::text AS text', [text])))
  t.strictSame(
    answers.map(({ rows }) => rows[0].text),
    asked
  )
  await pool.end()
})

t.test('does not interleave the messages of a query with other connections', async (t) => {
  const [slow, quick] = [await session(t), await session(t)]
  slow.write(message('P', "\0SELECT 'slow'\0\0\0"))
  const answered = quick.answer()
  quick.write(...query('quick'))
  slow.write(...query('slow').slice(1))
  t.match(await slow.answer(), /slow/)
  t.match(await answered, /quick/)
})

t.test('a client that disconnects during a query does not block others', async (t) => {
  const [gone, other] = [await session(t), await session(t)]
  gone.write(message('P', "\0SELECT 'gone'\0\0\0"), message('H', ''))
  await gone.received()
  gone.socket.destroy()
  other.write(...query('still here'))
  t.match(await other.answer(), /still here/)
})

t.test('refuses connections while it is down, and keeps its data', async (t) => {
  const connectionString = postgres.url
  const client = new Client({ connectionString })
  const cut = once(client, 'error')
  await client.connect()
  await client.query('CREATE TABLE kept (text text)')
  await postgres.down()
  await cut
  await t.rejects(new Client({ connectionString }).connect(), { code: 'ECONNREFUSED' })
  await postgres.up()
  const again = new Client({ connectionString })
  await again.connect()
  t.strictSame((await again.query('SELECT * FROM kept')).rows, [])
  await again.query('DROP TABLE kept')
  await again.end()
})

/** ReadyForQuery, outside a transaction. */
const READY = 'Z\0\0\0\x05I'

/** A message of PostgreSQL's protocol. */
function message(type: string, body: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(Buffer.byteLength(body) + 4)
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)])
}

/** Parse, Bind, Execute, Sync. */
const query = (text: string) => [
  message('P', `\0SELECT '${text}'\0\0\0`),
  message('B', '\0\0\0\0\0\0\0\0'),
  message('E', '\0\0\0\0\0'),
  message('S', '')
]

/** A connection that is ready for a query. */
async function session(t: Test) {
  const socket: Socket = connect(portOf(postgres.url), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let received = ''
  const more = async () => {
    const [chunk] = await once(socket, 'data')
    received += String(chunk)
  }
  const answer = async () => {
    while (!received.endsWith(READY)) await more()
    const text = received
    received = ''
    return text
  }
  const startup = 'user\0postgres\0\0'
  const header = Buffer.alloc(8)
  header.writeInt32BE(startup.length + 8)
  header.writeInt32BE(196_608, 4)
  socket.write(Buffer.concat([header, Buffer.from(startup)]))
  await answer()
  return { socket, write: (...parts: Buffer[]) => socket.write(Buffer.concat(parts)), answer, received: more }
}
