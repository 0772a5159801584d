import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

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

/**
 * Starts PostgreSQL in this process, on a free port; it accepts any credentials, and forgets everything when it stops. It takes a
 * second or two, and some 400 MB. All connections share one session, one statement or transaction after the other:
 * what one sets for its session, all have, and time limits of the server do not strike.
 *
 * @param stored what `dumpDataDir` of another gave: it starts with that, in a fraction of the time; default: empty
 */
export async function startPostgres(stored?: Blob): Promise<EmbeddedPostgres> {
  const db = await PGlite.create(stored && { loadDataDir: stored })
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
