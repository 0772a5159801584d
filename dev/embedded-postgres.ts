import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import manifest from '../package.json' with { type: 'json' }

export interface EmbeddedPostgres {
  readonly url: string
  /** Variables that point a process here. */
  readonly environment: Readonly<Record<string, string>>
  /** Gives access past the socket. */
  readonly db: PGlite
  /** Closes and refuses connections, and keeps the data. */
  down(): Promise<void>
  /** Accepts connections again, on the same port. */
  up(): Promise<void>
  stop(): Promise<void>
}

/** Maximum number of connections: those of ten workers. */
const CONNECTIONS = 100

/** Cache of an empty database, by version. */
const EMPTY = `node_modules/.cache/postgres/empty-${manifest.devDependencies['@electric-sql/pglite']}.tar`

/**
 * Starts PostgreSQL in memory, on a free port. Accepts any credentials. Takes a second (longer the first
 * time) and 400 MB. All connections share one session and run one statement or transaction at a time: session
 * settings affect all of them, and time-outs of the server have no effect.
 *
 * @param empty path of a cached empty database, which takes seconds to create
 */
export async function startPostgres(empty = EMPTY): Promise<EmbeddedPostgres> {
  const db = await openEmpty(empty)
  keepExchangesWhole(db)
  const server = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1', maxConnections: CONNECTIONS })
  await server.start()
  const url = `postgres://postgres@${server.getServerConn()}/postgres`
  return {
    url,
    environment: { DATABASE_URL: url },
    db,
    down: () => server.stop(),
    up: () => server.start(),
    async stop() {
      await server.stop()
      await db.close()
    }
  }
}

async function openEmpty(path: string): Promise<PGlite> {
  const kept = await readFile(path).catch(() => undefined)
  if (kept) return PGlite.create({ loadDataDir: new Blob([kept]) })
  const db = await PGlite.create()
  // without a writable cache, the next start is as slow
  await Promise.allSettled([keep(path, await db.dumpDataDir('none'))])
  return db
}

async function keep(path: string, dump: Blob): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  // renamed, so that a concurrent start never reads a partial file
  const own = `${path}.${process.pid}`
  await writeFile(own, dump.stream())
  await rename(own, path)
}

/** Messages of a client before `Sync`: Parse, Bind, Describe, Execute, Close, Flush. */
const WITHIN_EXCHANGE = new Set(Array.from('PBDECH', (type) => type.charCodeAt(0)))

/**
 * Keeps the messages of a query together. The socket server (0.2.17) interleaves messages of other
 * connections in the one session, which mixes up answers. It waits only during a transaction, so this reports
 * one until the query is complete.
 * Source: https://github.com/electric-sql/pglite/issues/1046
 */
function keepExchangesWhole(db: PGlite): void {
  let isWithin = false
  const isInTransaction = db.isInTransaction.bind(db)
  const send = db.execProtocolRawStream.bind(db)
  db.isInTransaction = () => isWithin || isInTransaction()
  db.execProtocolRawStream = async (message, options) => {
    await send(message, options)
    isWithin = WITHIN_EXCHANGE.has(message[0]!)
  }
}
