import type { Pool, PoolClient } from 'pg'
import { passwordsOf } from '../../database-url.ts'
import { ListenerError, PermanentError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { commandLine } from '../../own-command.ts'

export type Row = Record<string, unknown>

/** Runs one statement. `doing` names its purpose in errors. */
export type Query = (doing: string, text: string, values?: readonly unknown[]) => Promise<Row[]>

/** Maximum connections per worker. */
const MAX_CONNECTIONS = 10

/** Timeouts, in milliseconds. */
export interface Times {
  /** Waiting for a free connection. */
  connect: number
  /** Waiting for another session's lock. */
  lock: number
  /** Execution of a statement, enforced by the server. */
  statement: number
  /** Response to a statement, enforced here if the server is silent. */
  answer: number
}

const TIMES: Times = { connect: 5000, lock: 5000, statement: 10_000, answer: 15_000 }

/** Timeouts for `migrate`: building an index of a large table takes minutes. */
export const MIGRATION_TIMES: Times = {
  connect: 5000,
  lock: 10_000,
  statement: 3_600_000,
  answer: 3_600_000
}

/** Time until an unused connection is closed, in milliseconds. */
const IDLE_MS = 30_000

/** Maximum attempts of a transaction that conflicts with another one. */
const MAX_ATTEMPTS = 3

/**
 * Classes of SQLSTATE that a retry does not fix: the statement, its values or the table are wrong.
 * Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const PERMANENT = /^(?:0A|22|23|42|54)/

/** Error codes by SQLSTATE. A missing permission (42501) is temporary: it can be granted before the retry. */
const CODES: Record<string, string> = {
  '42501': 'DATABASE_UNAVAILABLE',
  '40001': 'DATABASE_CONFLICT',
  '40P01': 'DATABASE_CONFLICT',
  '55P03': 'DATABASE_LOCKED'
}

/**
 * Values of SQLSTATE for a table that is not migrated: undefined table, undefined column, type mismatch, no
 * unique key.
 */
const NOT_MIGRATED = ['42P01', '42703', '42804', '42P10']

/** Quotes the name of a table or column. */
export const escapeIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * A PostgreSQL client with bounded connections and timeouts, whose errors never contain a password. Works
 * with PgBouncer in transaction mode: it sets timeouts and takes locks per transaction, never per session.
 */
export class Database {
  readonly #connectionString: string
  readonly #log: Logger
  readonly #times: Times
  readonly #passwords: string[]
  readonly #begin: string
  #pool: Promise<Pool> | undefined

  /** @param url in the format of `pg`, with parameters such as `sslmode` */
  constructor(url: string, log: Logger, times: Times = TIMES) {
    this.#connectionString = url
    this.#log = log
    this.#times = times
    this.#passwords = passwordsOf(url)
    this.#begin = [
      // a statement after a lock must see changes committed during the wait
      'BEGIN ISOLATION LEVEL READ COMMITTED',
      `SET LOCAL statement_timeout = ${times.statement}`,
      `SET LOCAL lock_timeout = ${times.lock}`,
      "SET LOCAL TimeZone = 'UTC'"
    ].join('; ')
  }

  /** Runs one statement in its own transaction. Throws like `transaction`. */
  query: Query = (doing, text, values) => this.transaction((query) => query(doing, text, values))

  /**
   * Runs statements in one transaction, and rolls it back if `work` throws. After a conflict with another
   * transaction (such as a deadlock) it rolls back and runs `work` again.
   *
   * @throws {ListenerError} DATABASE_UNAVAILABLE; DATABASE_LOCKED, DATABASE_CONFLICT because of another
   *   session
   * @throws {PermanentError} DATABASE_REJECTED
   * @throws errors of `work`
   */
  async transaction<Result>(
    work: (query: Query) => Promise<Result>,
    attempts = MAX_ATTEMPTS
  ): Promise<Result> {
    try {
      return await this.#transactionOnce(work)
    } catch (error) {
      const isConflict = error instanceof ListenerError && error.code === 'DATABASE_CONFLICT'
      if (!isConflict || attempts === 1) throw error
      return this.transaction(work, attempts - 1)
    }
  }

  async close(): Promise<void> {
    await (await this.#pool)?.end()
  }

  async #transactionOnce<Result>(work: (query: Query) => Promise<Result>): Promise<Result> {
    const client = await this.#connect()
    // the running statement rejects too
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
      // closing the connection rolls back an uncommitted transaction
      client.release(!isCommitted)
    }
  }

  /** Opens the pool. Loads `pg` late, because only listeners with this processor need it. */
  async #open(): Promise<Pool> {
    const { Pool } = await import('pg')
    const { connect, answer } = this.#times
    const pool = new Pool({
      connectionString: this.#connectionString,
      application_name: 'cloudinary-listener',
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: connect,
      idleTimeoutMillis: IDLE_MS,
      query_timeout: answer,
      keepAlive: true
    })
    // the pool replaces the connection; without this listener the process would exit
    pool.on('error', (error) => {
      this.#log.warn({ err: this.#errorOf('keep a connection', error) }, 'database connection lost')
    })
    return pool
  }

  async #connect(): Promise<PoolClient> {
    try {
      this.#pool ??= this.#open()
      // throws synchronously if a certificate file in the URL cannot be read
      return await (await this.#pool).connect()
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

  /** Keeps only code and message: the detail of a PostgreSQL error contains the row. */
  #errorOf(doing: string, error: unknown): ListenerError {
    const { code = '', message } = error as { code?: string; message: string }
    let reason = [code, message].filter(Boolean).join(' ')
    for (const password of this.#passwords) reason = reason.replaceAll(password, '[password]')
    const text = `cannot ${doing}: ${reason}`
    const temporary = CODES[code] ?? (PERMANENT.test(code) ? undefined : 'DATABASE_UNAVAILABLE')
    if (temporary !== undefined) return new ListenerError(temporary, text)
    const remedy = NOT_MIGRATED.includes(code) ? `; run: ${commandLine('migrate')}` : ''
    return new PermanentError(`${text}${remedy}`, { code: 'DATABASE_REJECTED' })
  }
}
