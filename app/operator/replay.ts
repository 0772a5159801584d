import type { Journal, JournaledEvent, ProcessorRecord } from '../journal/journal.ts'
import type { Outbox } from '../queue/outbox.ts'
import { type Print, readArguments, UsageError } from './arguments.ts'
import { explain } from './explain.ts'
import { assetOf, count, lineOf } from './text.ts'

export const REPLAY_USAGE = `Usage: node app/main.ts replay EVENT_ID… [--dry-run]

Runs events again that the journal knows: all of an event's processors, those that succeeded before as well, once for
each replay. Prints what each event was and what was done for it.

  --dry-run  runs nothing, and prints what would be run

Exit code: 0; 1 when an event could not be run again; 2 for a wrong option.
`

export interface Replay {
  ids: readonly string[]
  dryRun: boolean
}

export interface ReplayOptions {
  journal: Pick<Journal, 'find'>
  outbox: Pick<Outbox, 'store'>
  print: Print
  /** Names this run. */
  runId: string
}

const NEVER = new AbortController().signal

/** @throws {UsageError} */
export function parseReplay(args: string[]): Replay {
  const { values, positionals } = readArguments({
    args,
    options: { 'dry-run': { type: 'boolean', default: false } },
    allowPositionals: true
  })
  if (positionals.length === 0 || positionals.includes('')) {
    throw new UsageError('replay needs the id of an event, or of several')
  }
  return { ids: [...new Set(positionals)], dryRun: values['dry-run'] }
}

/** Runs events again, each once, and returns the exit code. */
export async function replay({ ids, dryRun }: Replay, options: ReplayOptions): Promise<number> {
  const { print, runId } = options
  let replayed = 0
  for (const id of ids) {
    const failure = await replayOne(id, dryRun, options).catch((error: Error) => explain(error.cause ?? error))
    if (failure === undefined) replayed++
    print(lineOf(`  ${outcomeOf(failure, dryRun)}`))
  }
  const events = count(replayed, 'event')
  const failed = ids.length - replayed
  print(
    `${dryRun ? `Would replay ${events}; nothing was run` : `Replayed ${events} as run ${runId}`}. Failed: ${failed}.`
  )
  if (replayed > 0) {
    print(
      dryRun
        ? 'Next: run it without --dry-run.'
        : "Next: the worker's log has these events with run replay; with --dry-run this prints how they went."
    )
  }
  return failed > 0 ? 1 : 0
}

function outcomeOf(failure: string | undefined, dryRun: boolean): string {
  if (failure !== undefined) return `not replayed: ${failure}`
  return dryRun ? 'would be sent to the queue' : 'sent to the queue'
}

/** Resolves to why it cannot be run again, if so. */
async function replayOne(id: string, dryRun: boolean, options: ReplayOptions): Promise<string | undefined> {
  const { journal, outbox, print, runId } = options
  const found = await journal.find(id)
  if (!found) {
    print(lineOf(id))
    return 'the journal does not know it: the id is wrong, or the event older than the journal remembers'
  }
  for (const line of describe(id, found)) print(line)
  if (!found.event) return 'its payload was too large for the journal (over 300 KB compressed)'
  if (!dryRun) await outbox.store([{ ...found.event, run: { kind: 'replay', id: runId } }], NEVER)
  return
}

function* describe(id: string, { event, status, attempts, processors }: JournaledEvent): Iterable<string> {
  const what = event ? [event.type, assetOf(event), event.occurredAt] : []
  yield lineOf(id, ...what, `${status} after ${count(attempts, 'attempt')}`)
  for (const [name, record] of Object.entries(processors)) yield lineOf(`  ${name}`, ...outcome(record))
}

const outcome = ({ outcome, at, code, message, note }: ProcessorRecord): string[] => [
  outcome,
  at,
  ...(code === undefined ? [] : [`${code}: ${message ?? ''}`]),
  ...(note === undefined ? [] : [note])
]
