import pg from 'pg'
import type { Config } from '../../../app/config.ts'
import { databaseSync, type Processor } from '../../../app/listener.ts'
import { QUIET } from '../../support/operator.ts'
import { comparable } from '../../support/silent-cloudinary.ts'
import { History } from './history.ts'

const WORKERS = 4

/** Parallel histories. */
const SIDE_BY_SIDE = 8

export interface Difference {
  seed: number
  table: object[]
  cloudinary: object[]
}

/**
 * Runs a history for each seed, with concurrent workers on one table, and compares the table with Cloudinary
 * at the end.
 *
 * @param url database URL for the workers
 * @param direct URL of the same database for the comparison
 */
export async function runHistories(
  url: string,
  seeds: readonly number[],
  direct = url
): Promise<Difference[]> {
  const context = { config: { DATABASE_URL: url } as Config, log: QUIET }
  const workers: Processor[] = Array.from({ length: WORKERS }, () => databaseSync())
  await workers[0]!.migrate!({ ...context, print: () => {}, dryRun: false })
  const pool = new pg.Pool({ connectionString: direct })
  const differences: Difference[] = []
  const waiting = [...seeds]
  const runNext = async (): Promise<void> => {
    const seed = waiting.shift()
    if (seed === undefined) return
    const history = new History(seed, workers)
    await history.run()
    const { rows } = await pool.query('SELECT * FROM cloudinary_assets WHERE environment = $1', [
      history.environment
    ])
    const [table, cloudinary] = [comparable(rows), comparable(history.cloudinary.all().map(withPlainContext))]
    if (JSON.stringify(table) !== JSON.stringify(cloudinary)) differences.push({ seed, table, cloudinary })
    await runNext()
  }
  try {
    for (const worker of workers) await worker.start!(context)
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, runNext))
  } finally {
    await Promise.all([pool.end(), ...workers.map((worker) => worker.stop!())])
  }
  return differences
}

/** The table has the user's context by key, the Upload API under `custom`; tags may be missing. */
const withPlainContext = (asset: Record<string, unknown>) => ({
  ...asset,
  tags: asset.tags ?? [],
  context: (asset.context as { custom?: object } | undefined)?.custom ?? {}
})
