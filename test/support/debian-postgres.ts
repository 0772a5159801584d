import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

/** Programs of Debian's newest PostgreSQL server; undefined if not installed. */
export const POSTGRES_BIN = globSync('/usr/lib/postgresql/*/bin/initdb')
  .toSorted()
  .at(-1)
  ?.replace(/\/initdb$/, '')

/** Debian's PgBouncer; undefined if not installed. */
export const PGBOUNCER = globSync('/usr/sbin/pgbouncer').at(0)

/** Debian's `nobody`: neither program runs as root. */
const USER: { uid?: number; gid?: number } = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** Part of the sockets' names; no TCP port is opened. */
const PORT = 5432
const BOUNCER_PORT = 6432

export interface DebianPostgres {
  /** URL of the server, on a Unix socket. */
  readonly url: string
  /** Starts PgBouncer in transaction mode in front of the server, and returns its URL. */
  startBouncer(): Promise<string>
  stop(): Promise<void>
}

/** Starts Debian's PostgreSQL on a Unix socket, with temporary data. */
export async function startDebianPostgres(): Promise<DebianPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'listener-postgres-'))
  if (USER.uid !== undefined) await chown(directory, USER.uid, USER.uid)
  const children: ChildProcess[] = []
  const start = async (program: string, parameters: string[], url: string) => {
    const child = spawn(program, parameters, { ...USER, cwd: directory, stdio: 'ignore' })
    children.push(child)
    process.once('exit', () => child.kill('SIGINT'))
    await connectable(url, child)
    return url
  }
  const urlOf = (port: number) => `postgres:///postgres?user=postgres&host=${directory}&port=${port}`
  const data = join(directory, 'data')
  const initialise = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync']
  await run(join(POSTGRES_BIN!, 'initdb'), initialise, { ...USER, cwd: directory })
  const settings = [
    'fsync=off',
    'listen_addresses=',
    `port=${PORT}`,
    'max_connections=200',
    'synchronous_commit=off',
    'full_page_writes=off',
    'deadlock_timeout=50ms'
  ]
  const parameters = ['-D', data, '-k', directory, ...settings.flatMap((setting) => ['-c', setting])]
  const url = await start(join(POSTGRES_BIN!, 'postgres'), parameters, urlOf(PORT))
  return {
    url,
    async startBouncer() {
      const file = join(directory, 'pgbouncer.ini')
      await writeFile(file, bouncerSettings(directory))
      return start(PGBOUNCER!, [file], urlOf(BOUNCER_PORT))
    },
    async stop() {
      for (const child of children.toReversed()) {
        // SIGINT: fast shutdown, which disconnects clients
        child.kill('SIGINT')
        if (child.exitCode === null) await once(child, 'exit')
      }
      await rm(directory, { recursive: true })
    }
  }
}

const bouncerSettings = (directory: string) => `
[databases]
postgres = host=${directory} port=${PORT} user=postgres
[pgbouncer]
listen_addr =
listen_port = ${BOUNCER_PORT}
unix_socket_dir = ${directory}
auth_type = any
pool_mode = transaction
default_pool_size = 5
`

/** Waits until a server accepts connections, at most 30 s. */
async function connectable(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 1; ; tries++) {
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      return
    } catch (error) {
      if (child.exitCode !== null || tries === 600) throw error
      await setTimeout(50)
    } finally {
      await client.end().catch(() => {})
    }
  }
}
