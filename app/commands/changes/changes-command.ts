import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import {
  type ChangeFeed,
  type ChangesOptions,
  changes,
  DEFAULT_FIELD,
  DEFAULT_OVERLAP_SECONDS
} from '../../changes/change-feed.ts'
import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import { readConfig } from '../../config.ts'
import { connectTo } from '../../connect.ts'
import { ListenerError } from '../../errors.ts'
import { loadListener } from '../../listener-config/load-listener.ts'
import type { Processor } from '../../processor.ts'
import { type Print, readArguments, UsageError } from '../arguments.ts'
import type { Command, Output } from '../command.ts'
import { explain } from '../explain-error.ts'
import { interruption } from '../interruption.ts'
import { count, lineOf } from '../report-line.ts'
import { cursorFile } from './cursor-file.ts'

export const CHANGES_USAGE = `Usage: node app/main.ts changes --since TIME | --cursor CURSOR | --cursor-file FILE [--since TIME]
                                [--field FIELD] [--environment CLOUD] [--overlap SECONDS] [--limit N]

Prints the assets that changed, by the stamp that lastUpdateTimestamp writes: one JSON object a line, in the order in
which the stamps were written. Ends when there are no more, and says on standard error how to go on.

  --since TIME         changes from then on, such as 2026-06-01T12:00:00Z, or 2026-06-01 (UTC)
  --cursor CURSOR      goes on where an earlier run left off
  --cursor-file FILE   goes on from the cursor in FILE, and keeps the next one there; the first time, with --since
  --field FIELD        the metadata field of the stamp; default that of lastUpdateTimestamp in listener.config.ts
  --environment CLOUD  the product environment, where there are credentials for several
  --overlap SECONDS    how far Cloudinary's index may lag behind, with the difference of the clocks; default ${DEFAULT_OVERLAP_SECONDS}
  --limit N            ends after N changes

Exit code: 0; 1 when it failed; 2 for a wrong option or cursor; 3 when the hourly calls of the Admin API are spent: what
was printed holds, and standard error says when to go on.
`

export interface Selection {
  since?: Date
  cursor?: string
  cursorFile?: string
  field?: string
  environment?: string
  overlapSeconds: number
  /** Infinity where there is none. */
  limit: number
}

export interface PrintChangesOptions extends Output {
  open: (options: ChangesOptions) => ChangeFeed
  field: string
  print: Print
  file: typeof cursorFile
}

const TIME = z.union([z.iso.datetime({ offset: true }), z.iso.date()])

/** The exit code that tells a scheduler to come again later. */
const SPENT = 3

/** @throws {UsageError} */
export function parseChanges(args: string[]): Selection {
  const { values } = readArguments({
    args,
    options: {
      since: { type: 'string' },
      cursor: { type: 'string' },
      'cursor-file': { type: 'string' },
      field: { type: 'string' },
      environment: { type: 'string' },
      overlap: { type: 'string', default: String(DEFAULT_OVERLAP_SECONDS) },
      limit: { type: 'string' }
    }
  })
  const { since, cursor, 'cursor-file': file, field, environment, overlap, limit } = values
  if (since === undefined && cursor === undefined && file === undefined) {
    throw new UsageError('changes needs --since, --cursor or --cursor-file')
  }
  if (cursor !== undefined && (since !== undefined || file !== undefined)) {
    throw new UsageError('--cursor says where to begin: it goes with neither --since nor --cursor-file')
  }
  if (since !== undefined && !TIME.safeParse(since).success) {
    throw new UsageError(
      `--since ${since} is no time; it must be one such as 2026-06-01T12:00:00Z, or 2026-06-01`
    )
  }
  return {
    ...(since !== undefined && { since: new Date(since) }),
    ...(cursor !== undefined && { cursor }),
    ...(file !== undefined && { cursorFile: file }),
    ...(field !== undefined && { field }),
    ...(environment !== undefined && { environment }),
    overlapSeconds: wholeNumber('--overlap', overlap, 0),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--limit', limit, 1)
  }
}

/**
 * The metadata field of the stamp, by the processors that are configured.
 *
 * @throws {UsageError} when there are several
 */
export function stampField(processors: readonly Processor[]): string {
  const named = processors.flatMap(({ metadataFields = [] }) => metadataFields)
  const [field = DEFAULT_FIELD, ...others] = new Set(named.map(({ external_id }) => external_id))
  if (others.length === 0) return field
  throw new UsageError(
    `listener.config.ts has several metadata fields; say which with --field: ${[field, ...others].join(', ')}`
  )
}

/**
 * Prints changes until there are no more, or as many as are wanted, and returns the exit code.
 *
 * @throws {UsageError} for a cursor or a time that cannot be begun with
 */
export async function printChanges(selection: Selection, options: PrintChangesOptions): Promise<number> {
  const { print, printError, closed, field } = options
  const feed = await open(selection, options)
  let printed = 0
  let failure: unknown
  try {
    for await (const change of feed) {
      if (closed.aborted) break
      print(JSON.stringify(change))
      printed++
      if (printed === selection.limit) break
    }
  } catch (error) {
    failure = error
  }
  await setImmediate() // by when a line that could not be written is known
  if (closed.aborted) {
    printError(
      'The output was closed, so nobody can say what was read of it: no cursor. To take a few, use --limit.'
    )
    return 0
  }
  if (failure !== undefined) printError(lineOf(explain(failure)))
  else if (feed.assetsRead > 0 && feed.assetsStamped === 0) {
    printError(`No asset that was read has a time in ${field}: is it the right field?`)
  }
  printError(`${count(printed, 'change')}.`)
  const isKept = await keepCursor(feed.cursor(), selection, options)
  if (failure instanceof CloudinaryError && failure.failure.kind === 'rate-limited') {
    printError(`Calls to the Admin API are limited until ${failure.failure.until.toISOString()}; go on then.`)
    return SPENT
  }
  return failure === undefined && isKept ? 0 : 1
}

async function open(selection: Selection, options: PrintChangesOptions): Promise<ChangeFeed> {
  const { since, cursorFile: path, overlapSeconds } = selection
  const kept = path === undefined ? undefined : await options.file.read(path)
  const cursor = selection.cursor ?? kept
  if (cursor === undefined && since === undefined) {
    throw new UsageError(`there is no ${path} yet; the first time, say --since as well`)
  }
  try {
    const start = cursor === undefined ? { since: since as Date } : { cursor }
    return options.open({ ...start, field: options.field, overlapSeconds })
  } catch (error) {
    const isTheirs = error instanceof ListenerError && error.code.startsWith('CHANGES_')
    throw isTheirs ? new UsageError(kept === undefined ? error.message : `${path}: ${error.message}`) : error
  }
}

/** Says how to go on. @returns whether it could be kept where it was to be */
async function keepCursor(
  cursor: string,
  { cursorFile: path }: Selection,
  { file, printError }: PrintChangesOptions
): Promise<boolean> {
  let isKept = path !== undefined
  if (path !== undefined) {
    try {
      await file.write(path, cursor)
      printError(lineOf(`Go on with --cursor-file ${path}`))
    } catch (error) {
      printError(lineOf(explain(error)))
      isKept = false
    }
  }
  if (!isKept) printError(`Go on with --cursor ${cursor}`)
  return isKept || path === undefined
}

function wholeNumber(option: string, text: string, least: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least) return number
  throw new UsageError(`${option} ${text} is not a whole number of ${least} or more`)
}

export const changesCommand: Command = {
  summary: 'prints assets that changed, one JSON object a line',
  usage: CHANGES_USAGE,
  async run(args, print, output) {
    const selection = parseChanges(args)
    const config = readConfig()
    const field = selection.field ?? stampField((await loadListener(config.LISTENER_CONFIG)).processors)
    const { client } = await connectTo(config, { cloudName: selection.environment, signal: interruption() })
    return printChanges(selection, {
      open: (options) => changes(client, options),
      field,
      print,
      file: cursorFile,
      ...output
    })
  }
}
