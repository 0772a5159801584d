import { unescape as decode } from 'node:querystring'
import { type ClientBase, Pool, type PoolClient } from 'pg'
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
  /** A statement, by the server. */
  statement: number
  /** A statement, should the server be silent. */
  answer: number
}

const TIMES: Times = { connect: 5000, statement: 10_000, answer: 15_000 }

/** How long a connection is kept that nobody uses, in milliseconds. */
const IDLE_MS = 30_000

/**
 * Classes of SQLSTATE that trying again does not mend: what was sent, or the table, is not as it must be.
 * Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const PERMANENT = /^(?:0A|22|23|42|54)/

/** Beside these: a permission can be given while an event is tried again. */
const INSUFFICIENT_PRIVILEGE = '42501'

/** No such table, no such column, another type, no unique key. */
const NOT_MIGRATED = ['42P01', '42703', '42804', '42P10']

/** PostgreSQL, with bounded connections and times, and errors that say what to do and hold no password. */
export class Database {
  readonly #pool: Pool
  readonly #secrets: string[]

  /** @param url as `pg` takes it, `sslmode` and others included */
  constructor(url: string, log: Logger, times: Times = TIMES) {
    const { password, searchParams } = new URL(url)
    this.#secrets = [password, decode(password), searchParams.get('password') ?? ''].filter(Boolean)
    this.#pool = new Pool({
      connectionString: url,
      application_name: 'cloudinary-listener',
      max: CONNECTIONS,
      connectionTimeoutMillis: times.connect,
      idleTimeoutMillis: IDLE_MS,
      statement_timeout: times.statement,
      query_timeout: times.answer,
      keepAlive: true
    })
    // it is replaced when it is needed; without a listener the process would end
    this.#pool.on('error', (error) => {
      log.warn({ err: this.#errorOf('keep a connection', error) }, 'a connection to the database is lost')
    })
  }

  /** @throws {ListenerError} DATABASE_UNAVAILABLE; {PermanentError} DATABASE_REJECTED */
  query: Query = (doing, text, values) => this.#run(this.#pool, doing, text, values)

  /**
   * Runs statements in one transaction, and rolls back what was done when the work throws.
   *
   * @throws what `work` and `query` throw
   */
  async transaction<Result>(work: (query: Query) => Promise<Result>): Promise<Result> {
    const client = await this.#connect()
    // the statement that is under way rejects as well
    client.on('error', () => {})
    const query: Query = (doing, text, values) => this.#run(client, doing, text, values)
    try {
      await query('begin', 'BEGIN')
      const result = await work(query)
      await query('commit', 'COMMIT')
      return result
    } finally {
      // closed rather than kept: that ends whatever is not committed
      client.release(true)
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #connect(): Promise<PoolClient> {
    try {
      // which throws at once, and does not reject, where a certificate that the URL names cannot be read
      return await this.#pool.connect()
    } catch (error) {
      throw this.#errorOf('connect', error)
    }
  }

  async #run(
    on: Pool | ClientBase,
    doing: string,
    text: string,
    values: readonly unknown[] = []
  ): Promise<Row[]> {
    try {
      return (await on.query(text, [...values])).rows
    } catch (error) {
      throw this.#errorOf(doing, error)
    }
  }

  /** Takes code and message alone: the detail of an error of PostgreSQL holds the row. */
  #errorOf(doing: string, error: unknown): ListenerError {
    const { code, message } = error as { code?: string; message: string }
    let said = [code, message].filter(Boolean).join(' ')
    for (const secret of this.#secrets) said = said.replaceAll(secret, '[password]')
    if (code === undefined || !PERMANENT.test(code) || code === INSUFFICIENT_PRIVILEGE) {
      return new ListenerError('DATABASE_UNAVAILABLE', `cannot ${doing}: ${said}`)
    }
    const remedy = NOT_MIGRATED.includes(code) ? '; run: node app/main.ts migrate' : ''
    return new PermanentError(`cannot ${doing}: ${said}${remedy}`, { code: 'DATABASE_REJECTED' })
  }
}
