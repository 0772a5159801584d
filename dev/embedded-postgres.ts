import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import manifest from '../package.json' with { type: 'json' }

export interface EmbeddedPostgres {
  readonly url: string
  /** What a process must find in its environment to come here. */
  readonly environment: Readonly<Record<string, string>>
  /** For a look into it, past the socket. */
  readonly db: PGlite
  /** Refuses connections and cuts those that are open; what is stored stays. */
  down(): Promise<void>
  /** Takes connections again, on the same port. */
  up(): Promise<void>
  stop(): Promise<void>
}

/** Connections at a time: those of ten workers. */
const CONNECTIONS = 100

/** Where an empty database is kept, of the version that made it. */
const EMPTY = `node_modules/.cache/postgres/empty-${manifest.devDependencies['@electric-sql/pglite']}.tar`

/**
 * Starts PostgreSQL in this process, on a free port; it accepts any credentials, and forgets everything when it stops. It takes a
 * second, the first time some more, and some 400 MB. All connections share one session, one statement or transaction after
 * the other: what one sets for its session, all have, and time limits of the server do not strike.
 *
 * @param empty path of the file in which an empty database is kept, since to make one takes seconds
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
  // where nothing can be written, the next one takes as long
  await Promise.allSettled([keep(path, await db.dumpDataDir('none'))])
  return db
}

async function keep(path: string, dump: Blob): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  // others may be at it as well: the file is whole, or not there
  const own = `${path}.${process.pid}`
  await writeFile(own, dump.stream())
  await rename(own, path)
}

/** What a client sends before `Sync`: Parse, Bind, Describe, Execute, Close, Flush. */
const WITHIN_EXCHANGE = new Set(Array.from('PBDECH', (type) => type.charCodeAt(0)))

/**
 * A query with parameters is several messages, and the socket server (0.2.17) lets those of other connections in between,
 * into the one session there is: a connection may be answered what another asked for. It waits while a transaction is
 * open; so that is what it is told until the exchange is over.
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
