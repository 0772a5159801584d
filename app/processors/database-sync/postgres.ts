import { Pool, type PoolClient } from 'pg'
import { passwordsOf } from '../../database-url.ts'
import { ListenerError, PermanentError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'

export type Row = Record<string, unknown>

/** Runs one statement; `doing` says for errors what it is for. */
export type Query = (doing: string, text: string, values?: readonly unknown[]) => Promise<Row[]>

/** Connections that one worker opens at most. */
const CONNECTIONS = 10

/** How long things may take, in milliseconds. */
export interface Times {
  /** Until there is a connection that is free. */
  connect: number
  /** Until another session releases a lock. */
  lock: number
  /** A statement, by the server. */
  statement: number
  /** A statement, should the server be silent. */
  answer: number
}

const TIMES: Times = { connect: 5000, lock: 5000, statement: 10_000, answer: 15_000 }

/** For `migrate`: an index of a large table takes minutes to build. */
export const MIGRATION_TIMES: Times = {
  connect: 5000,
  lock: 10_000,
  statement: 3_600_000,
  answer: 3_600_000
}

/** How long a connection is kept that nobody uses, in milliseconds. */
const IDLE_MS = 30_000

/** How often a transaction is run that conflicts with another one. */
const MAXIMUM_TRIES = 3

/**
 * Classes of SQLSTATE that a retry does not fix: what was sent, or the table, is not as it must be.
 * Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const PERMANENT = /^(?:0A|22|23|42|54)/

/** Codes of their own: by SQLSTATE. A permission is not permanent, since it can be granted before the retry. */
const CODES: Record<string, string> = {
  '42501': 'DATABASE_UNAVAILABLE',
  '40001': 'DATABASE_CONFLICT',
  '40P01': 'DATABASE_CONFLICT',
  '55P03': 'DATABASE_LOCKED'
}

/** No such table, no such column, another type, no unique key. */
const NOT_MIGRATED = ['42P01', '42703', '42804', '42P10']

/**
 * PostgreSQL, with bounded connections and times, and errors that say what to do and hold no password. It works through
 * PgBouncer in transaction mode, where a session lasts for one transaction: all settings and locks are the transaction's.
 */
export class Database {
  readonly #pool: Pool
  readonly #passwords: string[]
  readonly #begin: string

  /** @param url as `pg` takes it, `sslmode` and others included */
  constructor(url: string, log: Logger, times: Times = TIMES) {
    this.#passwords = passwordsOf(url)
    this.#begin = [
      // a statement that follows a lock must see what was committed while it waited
      'BEGIN ISOLATION LEVEL READ COMMITTED',
      `SET LOCAL statement_timeout = ${times.statement}`,
      `SET LOCAL lock_timeout = ${times.lock}`,
      "SET LOCAL TimeZone = 'UTC'"
    ].join('; ')
    this.#pool = new Pool({
      connectionString: url,
      application_name: 'cloudinary-listener',
      max: CONNECTIONS,
      connectionTimeoutMillis: times.connect,
      idleTimeoutMillis: IDLE_MS,
      query_timeout: times.answer,
      keepAlive: true
    })
    // it is replaced when it is needed; without a listener the process would end
    this.#pool.on('error', (error) => {
      log.warn({ err: this.#errorOf('keep a connection', error) }, 'a connection to the database is lost')
    })
  }

  /**
   * Runs one statement in a transaction of its own.
   *
   * @throws what `transaction` throws
   */
  query: Query = (doing, text, values) => this.transaction((query) => query(doing, text, values))

  /**
   * Runs statements in one transaction, and rolls back what was done when the work throws. A conflict with another
   * transaction (a deadlock) rolls it back and runs it again, so `work` may be called several times.
   *
   * @throws {ListenerError} DATABASE_UNAVAILABLE; DATABASE_LOCKED when another session kept a lock; DATABASE_CONFLICT
   * @throws {PermanentError} DATABASE_REJECTED
   * @throws what `work` throws
   */
  async transaction<Result>(work: (query: Query) => Promise<Result>, tries = MAXIMUM_TRIES): Promise<Result> {
    try {
      return await this.#transactionOnce(work)
    } catch (error) {
      const isConflict = error instanceof ListenerError && error.code === 'DATABASE_CONFLICT'
      if (!isConflict || tries === 1) throw error
      return this.transaction(work, tries - 1)
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #transactionOnce<Result>(work: (query: Query) => Promise<Result>): Promise<Result> {
    const client = await this.#connect()
    // the statement in progress rejects as well
    const ignore = () => {}
    client.on('error', ignore)
    let isCommitted = false
    try {
      await this.#run(client, 'begin', this.#begin)
      const result = await work((doing, text, values) => this.#run(client, doing, text, values))
      await this.#run(client, 'commit', 'COMMIT')
      isCommitted = true
      return result
    } finally {
      client.off('error', ignore)
      // closed rather than kept: that ends whatever is not committed
      client.release(!isCommitted)
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      // throws at once, and does not reject, where a certificate that the URL names cannot be read
      return await this.#pool.connect()
    } catch (error) {
      throw this.#errorOf('connect', error)
    }
  }

  async #run(client: PoolClient, doing: string, text: string, values?: readonly unknown[]): Promise<Row[]> {
    try {
      return (await client.query(text, values as unknown[])).rows
    } catch (error) {
      throw this.#errorOf(doing, error)
    }
  }

  /** Takes code and message alone: the detail of an error of PostgreSQL holds the row. */
  #errorOf(doing: string, error: unknown): ListenerError {
    const { code = '', message } = error as { code?: string; message: string }
    let said = [code, message].filter(Boolean).join(' ')
    for (const password of this.#passwords) said = said.replaceAll(password, '[password]')
    const text = `cannot ${doing}: ${said}`
    const own = CODES[code] ?? (PERMANENT.test(code) ? undefined : 'DATABASE_UNAVAILABLE')
    if (own !== undefined) return new ListenerError(own, text)
    const remedy = NOT_MIGRATED.includes(code) ? '; run: node app/main.ts migrate' : ''
    return new PermanentError(`${text}${remedy}`, { code: 'DATABASE_REJECTED' })
  }
}
