import { setTimeout as sleepWithTimer } from 'node:timers/promises'
import { z } from 'zod'
import { type Asset, type AssetEvent, replayOf } from '../../ingest/event.ts'
import type { Processor } from '../../processor.ts'
import { checkOptions } from '../processor-options.ts'
import { OPERATIONS } from './csv-columns.ts'
import { Progress } from './csv-progress.ts'
import { isReport } from './csv-report.ts'
import { runFile } from './csv-run.ts'

const Options = z.strictObject({
  name: z.string().default('csv-bulk'),
  /** Files in it, and in folders in it, are run: by public id or by asset folder. */
  folder: z.string().regex(/^[^/].*[^/]$|^[^/]$/, 'a folder has no slash at its ends'),
  /** What rows may do. */
  operations: z.array(z.enum(OPERATIONS)).min(1),
  /** Rows that are run side by side. */
  concurrency: z.int().min(1).max(100).default(20),
  /** After it the file is left, and taken up again where it was. */
  timeoutSeconds: z.int().min(60).max(36_000).default(21_600)
})

/** @see csvBulk */
export type CsvBulkOptions = z.input<typeof Options>

/** What a test replaces. */
export interface CsvBulkTools {
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** A number from 0 up to 1. */
  random?: () => number
  sleep?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>
}

/**
 * Runs a CSV file that is uploaded as a raw asset: each row is an operation on an asset. It goes on where it was after a
 * crash, and uploads a report beside the file. Costs one call of the Upload API for a row, and a few for the file.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function csvBulk(options: CsvBulkOptions, tools: CsvBulkTools = {}): Processor {
  const { name, folder, operations, concurrency, timeoutSeconds } = checkOptions('csvBulk', Options, options)
  const { clock = Date.now, random = Math.random, sleep = sleepUntilAborted } = tools
  return {
    name,
    on: ['upload'],
    timeoutSeconds,
    when: (event) => isToRun(event, folder),
    async handle(event, { cloudinary, log, signal, state }) {
      // `when` lets no other pass
      const asset = event.asset as Asset & { publicId: string }
      const { publicId, version } = asset
      const { resourceType, deliveryType } = await cloudinary.identify(asset)
      if (resourceType !== 'raw') return 'skipped: not a raw asset'
      const { asset_folder: assetFolder, etag } = event.payload
      const pause = async (milliseconds: number) => void (await sleep(milliseconds, signal))
      const replay = replayOf(event.run)
      const key = replay ? `${event.id}/replay-${replay}` : event.id
      const progress = await Progress.open({ state, key, signal, log, sleep: pause })
      const source = {
        publicId,
        version: version ?? Number.POSITIVE_INFINITY,
        deliveryType,
        ...(typeof etag === 'string' && { etag }),
        ...(typeof assetFolder === 'string' && { assetFolder })
      }
      return runFile({
        source,
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

const sleepUntilAborted = (milliseconds: number, signal: AbortSignal) =>
  sleepWithTimer(milliseconds, undefined, { signal })

function isToRun({ asset, payload }: AssetEvent, folder: string): boolean {
  // an upload that does not state its resource type is looked up
  const { publicId = '', resourceType = 'raw' } = asset ?? {}
  if (resourceType !== 'raw' || !/\.csv$/i.test(publicId) || isReport(publicId)) return false
  return [publicId, `${payload.asset_folder}/`].some((path) => path.startsWith(`${folder}/`))
}
