import { readFileSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setFlagsFromString } from 'node:v8'
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

/** Maximum number of connections: as many as ten workers use. */
const CONNECTIONS = 100

/** Cache of an empty database, by version. */
const EMPTY = `node_modules/.cache/postgres/empty-${manifest.devDependencies['@electric-sql/pglite']}.tar`

/**
 * Starts PostgreSQL in memory, on a free port. Accepts any credentials. Takes a second (longer the first
 * time) and 400 MB. All connections share one session and run one statement or transaction at a time: session
 * settings affect all of them, and timeouts of the server have no effect.
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
  if (kept) return PGlite.create({ pgliteWasmModule: compile(), loadDataDir: new UncopiedBlob(kept) })
  const db = await PGlite.create({ pgliteWasmModule: compile() })
  // without a writable cache, the next start is as slow as this one
  await Promise.allSettled([keep(path, await db.dumpDataDir('none'))])
  return db
}

// TypeScript has it only with the types of browsers
const { Module } = (globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object } })
  .WebAssembly

const WASM = new URL('pglite.wasm', import.meta.resolve('@electric-sql/pglite'))

/** V8's flag: bytes that a function of WebAssembly runs before V8 optimizes it. */
const TIERING_BUDGET = { default: 13_000_000, raised: 1_000_000_000 }

/**
 * Compiles PostgreSQL. With the default budget, each start optimizes one huge function, which takes 3 s of CPU
 * time, as long as the start itself. The flag is set for this call only, since it is part of the key of
 * Node.js's compile cache.
 */
function compile(): object {
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET.raised}`)
  try {
    return new Module(readFileSync(WASM))
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET.default}`)
  }
}

/** A blob that gives the bytes themselves: Node.js's own copies 40 MB three times. */
class UncopiedBlob extends Blob {
  readonly #bytes: ArrayBuffer

  /** @param bytes in a buffer of their own, as `readFile` returns them */
  constructor({ buffer }: Buffer<ArrayBuffer>) {
    super([])
    this.#bytes = buffer
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes
  }
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
 * connections in the one session, which mixes up responses. It waits only during a transaction, so this
 * reports one until the query is complete.
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
