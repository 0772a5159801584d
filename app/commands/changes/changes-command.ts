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

export const CHANGES_USAGE = `Usage: node app/main.ts changes --since TIME [option…]
       node app/main.ts changes --cursor CURSOR [option…]
       node app/main.ts changes --cursor-file FILE [--since TIME] [option…]

Prints the changed assets, by the stamp that lastUpdateTimestamp writes: one JSON object per line, in the
order in which the stamps were written. Prints the cursor to resume from on standard error.

  --since TIME         start at this time, such as 2026-06-01T12:00:00Z or 2026-06-01 (UTC)
  --cursor CURSOR      resume after an earlier run
  --cursor-file FILE   resume from the cursor in FILE, and store the next one there; the first run needs --since
  --field FIELD        metadata field of the stamp; default from lastUpdateTimestamp in listener.config.ts
  --environment CLOUD  the product environment, if there are credentials for several
  --overlap SECONDS    maximum lag of Cloudinary's index and clocks; default ${DEFAULT_OVERLAP_SECONDS}
  --limit N            stop after N changes

Exit code: 0 on success; 1 on an error; 2 for a wrong option or cursor; 3 if the hourly calls of the Admin
API are spent: the printed changes are valid, and standard error says when to resume.
`

export interface ChangesArguments {
  since?: Date
  cursor?: string
  cursorFile?: string
  field?: string
  environment?: string
  overlapSeconds: number
  /** Infinity if not set. */
  limit: number
}

export interface PrintChangesOptions extends Output {
  open: (options: ChangesOptions) => ChangeFeed
  field: string
  print: Print
  file: typeof cursorFile
}

const TIME = z.union([z.iso.datetime({ offset: true }), z.iso.date()])

/** Exit code: rate-limited; run the command again later. */
const RATE_LIMITED = 3

/** @throws {UsageError} */
export function parseChanges(args: string[]): ChangesArguments {
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
    throw new UsageError('--cursor cannot be combined with --since or --cursor-file')
  }
  if (since !== undefined && !TIME.safeParse(since).success) {
    throw new UsageError(`--since ${since} is not a time; write it like 2026-06-01T12:00:00Z or 2026-06-01`)
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
 * Returns the metadata field of the stamp, from the configured processors.
 *
 * @throws {UsageError} if there are several
 */
export function stampField(processors: readonly Processor[]): string {
  const named = processors.flatMap(({ metadataFields = [] }) => metadataFields)
  const [field = DEFAULT_FIELD, ...others] = new Set(named.map(({ external_id }) => external_id))
  if (others.length === 0) return field
  throw new UsageError(
    `there are several metadata fields; choose one with --field: ${[field, ...others].join(', ')}`
  )
}

/**
 * Prints changes until there are no more or the limit is reached, and returns the exit code.
 *
 * @throws {UsageError} for an invalid cursor or time
 */
export async function printChanges(
  selection: ChangesArguments,
  options: PrintChangesOptions
): Promise<number> {
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
  await setImmediate() // lets a failed write abort `closed`
  if (closed.aborted) {
    printError('No cursor: the output was closed before it was read. Use --limit to print a few changes.')
    return 0
  }
  if (failure !== undefined) printError(lineOf(explain(failure)))
  else if (feed.assetsRead > 0 && feed.assetsStamped === 0) {
    printError(`None of the assets has a time in the field ${field}; check --field.`)
  }
  printError(`${count(printed, 'change')}.`)
  const isStored = await storeCursor(feed.cursor(), selection, options)
  if (failure instanceof CloudinaryError && failure.failure.kind === 'rate-limited') {
    printError(`The Admin API is rate-limited until ${failure.failure.until.toISOString()}; resume then.`)
    return RATE_LIMITED
  }
  return failure === undefined && isStored ? 0 : 1
}

async function open(selection: ChangesArguments, options: PrintChangesOptions): Promise<ChangeFeed> {
  const { since, cursorFile: path, overlapSeconds } = selection
  const stored = path === undefined ? undefined : await options.file.read(path)
  const cursor = selection.cursor ?? stored
  if (cursor === undefined && since === undefined) {
    throw new UsageError(`${path} does not exist yet; add --since the first time`)
  }
  try {
    const start = cursor === undefined ? { since: since as Date } : { cursor }
    return options.open({ ...start, field: options.field, overlapSeconds })
  } catch (error) {
    const isInvalidOption = error instanceof ListenerError && error.code.startsWith('CHANGES_')
    throw isInvalidOption
      ? new UsageError(stored === undefined ? error.message : `${path}: ${error.message}`)
      : error
  }
}

/** Stores the cursor and prints how to resume. @returns false if the file cannot be written */
async function storeCursor(
  cursor: string,
  { cursorFile: path }: ChangesArguments,
  { file, printError }: PrintChangesOptions
): Promise<boolean> {
  let isStored = path !== undefined
  if (path !== undefined) {
    try {
      await file.write(path, cursor)
      printError(lineOf(`Resume with --cursor-file ${path}`))
    } catch (error) {
      printError(lineOf(explain(error)))
      isStored = false
    }
  }
  if (!isStored) printError(`Resume with --cursor ${cursor}`)
  return isStored || path === undefined
}

function wholeNumber(option: string, text: string, least: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least) return number
  throw new UsageError(`${option} ${text} is not a whole number of ${least} or more`)
}

export const changesCommand: Command = {
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
