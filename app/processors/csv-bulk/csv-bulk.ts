import { setTimeout as sleepWithTimer } from 'node:timers/promises'
import { z } from 'zod'
import { type Asset, type AssetEvent, replayOf } from '../../ingest/event.ts'
import type { Processor } from '../../processor.ts'
import { checkOptions } from '../processor-options.ts'
import { Progress } from './csv-progress.ts'
import { isReport } from './csv-report-id.ts'
import { OPERATIONS } from './csv-task.ts'

const Options = z.strictObject({
  name: z.string().default('csv-bulk'),
  /** Runs files in this folder and its subfolders: by public id or by asset folder. */
  folder: z.string().regex(/^[^/].*[^/]$|^[^/]$/, 'must not begin or end with a slash'),
  /** Operations that rows may use. */
  operations: z.array(z.enum(OPERATIONS)).min(1),
  /** Rows that run in parallel. */
  concurrency: z.int().min(1).max(100).default(20),
  /** Maximum time for a file in one attempt. A longer run is interrupted, and a retry resumes it. */
  timeoutSeconds: z.int().min(60).max(36_000).default(21_600)
})

/** @see csvBulk */
export type CsvBulkOptions = z.input<typeof Options>

/** Parts that tests replace. */
export interface CsvBulkTools {
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** A number from 0 up to 1. */
  random?: () => number
  sleep?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>
}

/**
 * Runs CSV files that are uploaded as raw assets: each row is an operation on an asset. Resumes after a
 * crash, and uploads a report beside the file. Costs one call of the Upload API per row, and a few per file.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function csvBulk(options: CsvBulkOptions, tools: CsvBulkTools = {}): Processor {
  const { name, folder, operations, concurrency, timeoutSeconds } = checkOptions('csvBulk', Options, options)
  const { clock = Date.now, random = Math.random, sleep = sleepWithSignal } = tools
  return {
    name,
    on: ['upload'],
    timeoutSeconds,
    when: (event) => isCsvIn(event, folder),
    async handle(event, { cloudinary, log, signal, state }) {
      // `when` checks the public id
      const asset = event.asset as Asset & { publicId: string }
      const { publicId, version } = asset
      const { resourceType, deliveryType } = await cloudinary.identify(asset)
      if (resourceType !== 'raw') return 'skipped: not a raw asset'
      const { asset_folder: assetFolder, etag } = event.payload
      const pause = async (milliseconds: number) => void (await sleep(milliseconds, signal))
      const replay = replayOf(event.run)
      const key = replay ? `${event.id}/replay-${replay}` : event.id
      const progress = await Progress.open({ state, key, signal, log, sleep: pause })
      // loaded here, because only listeners with this processor need the packages for CSV
      const { runFile } = await import('./csv-run.ts')
      return runFile({
        source: {
          publicId,
          version: version ?? Number.POSITIVE_INFINITY,
          deliveryType,
          ...(typeof etag === 'string' && { etag }),
          ...(typeof assetFolder === 'string' && { assetFolder })
        },
        progress,
        cloudinary,
        log,
        signal,
        concurrency,
        operations,
        clock,
        random,
        sleep: pause
      })
    }
  }
}

const sleepWithSignal = (milliseconds: number, signal: AbortSignal) =>
  sleepWithTimer(milliseconds, undefined, { signal })

function isCsvIn({ asset, payload }: AssetEvent, folder: string): boolean {
  // `handle` looks up a resource type that the upload does not state
  const { publicId = '', resourceType = 'raw' } = asset ?? {}
  if (resourceType !== 'raw' || !/\.csv$/i.test(publicId) || isReport(publicId)) return false
  return [publicId, `${payload.asset_folder}/`].some((path) => path.startsWith(`${folder}/`))
}
