import { readConfig } from '../config.ts'
import type { RunOrigin } from '../ingest/event.ts'
import { createDynamoDbClient } from '../journal/dynamodb.ts'
import type { JournaledEvent } from '../journal/journal-entry.ts'
import { JournalReader } from '../journal/journal-reader.ts'
import type { ProcessorRecord } from '../journal/processor-record.ts'
import { EventSender } from '../queue/event-sender.ts'
import { withTracing } from '../tracing/create-tracing.ts'
import { createRegionalSqs, newRunId, SEND_MS } from '../wiring.ts'
import { type Print, readArguments, UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { commandOrigin } from './command-origin.ts'
import { explain } from './explain-error.ts'
import { assetOf, count, lineOf, NEXT_AFTER_DRY_RUN } from './report-line.ts'

export const REPLAY_USAGE = `Usage: node app/main.ts replay EVENT_ID… [--dry-run]

Runs events from the journal again: all processors of each event, including those that succeeded, once per
replay. Prints each event and the last outcome of its processors.

  --dry-run  sends nothing, and prints what it would send

Exit code: 0 on success; 1 if an event could not be replayed; 2 for a wrong option.
`

export interface ReplayArguments {
  ids: readonly string[]
  dryRun: boolean
}

export interface ReplayOptions {
  journal: Pick<JournalReader, 'find'>
  sender: Pick<EventSender, 'store'>
  print: Print
  runId: string
  /** The author of the run, which the journal records with each event. */
  origin: RunOrigin
}

/** @throws {UsageError} */
export function parseReplay(args: string[]): ReplayArguments {
  const { values, positionals } = readArguments({
    args,
    options: { 'dry-run': { type: 'boolean', default: false } },
    allowPositionals: true
  })
  if (positionals.length === 0 || positionals.includes('')) {
    throw new UsageError('replay needs the ID of at least one event')
  }
  return { ids: [...new Set(positionals)], dryRun: values['dry-run'] }
}

/** Sends events to the queue again, each once, and returns the exit code. */
export async function replay({ ids, dryRun }: ReplayArguments, options: ReplayOptions): Promise<number> {
  const { print, runId } = options
  let failed = 0
  for (const id of ids) if (!(await replayOne(id, dryRun, options))) failed++
  const events = count(ids.length - failed, 'event')
  const done = dryRun ? `Would replay ${events}; nothing was sent` : `Replayed ${events} as run ${runId}`
  print(`${done}. Failed: ${failed}.`)
  if (failed < ids.length) {
    print(
      dryRun
        ? NEXT_AFTER_DRY_RUN
        : "Next: search the worker's log for this run, or print the outcomes with replay --dry-run."
    )
  }
  return failed > 0 ? 1 : 0
}

/** Replays one event and prints it. Resolves to false on failure. */
async function replayOne(id: string, dryRun: boolean, options: ReplayOptions): Promise<boolean> {
  const { journal, sender, print, runId, origin } = options
  const failed = (line: string) => {
    print(lineOf(line))
    return false
  }
  let found: JournaledEvent | undefined
  try {
    found = await journal.find(id)
  } catch (error) {
    return failed(`${id}  not replayed: ${explain(error, { permission: 'dynamodb:GetItem' })}`)
  }
  if (!found) {
    return failed(`${id}  not replayed: not in the journal; the ID is wrong, or the event has expired`)
  }
  for (const line of describe(id, found)) print(line)
  if (!found.event)
    return failed('  not replayed: its payload was too large to store (over 300 KB compressed)')
  if (dryRun) {
    print('  would be sent to the queue')
    return true
  }
  try {
    await sender.store([{ ...found.event, run: { kind: 'replay', id: runId, ...origin } }])
  } catch (error) {
    return failed(`  not replayed: ${explain(error, { permission: 'sqs:SendMessage' })}`)
  }
  print('  sent to the queue')
  return true
}

function* describe(id: string, { event, status, attempts, processors }: JournaledEvent): Iterable<string> {
  const described = event ? [event.type, assetOf(event), event.occurredAt] : []
  yield lineOf(id, ...described, `${status} after ${count(attempts, 'attempt')}`)
  const width = Math.max(0, ...Object.keys(processors).map(({ length }) => length))
  for (const [name, record] of Object.entries(processors)) {
    yield lineOf(`  ${name.padEnd(width)}`, ...outcome(record))
  }
}

function outcome(record: ProcessorRecord): string[] {
  const { outcome, at } = record
  if ('code' in record) return [outcome, at, `${record.code}: ${record.message}`]
  return [outcome, at, ...('note' in record && record.note ? [record.note] : [])]
}

export const replayCommand: Command = {
  usage: REPLAY_USAGE,
  async run(args, print) {
    const replayed = parseReplay(args)
    const config = readConfig(['QUEUE_URL', 'JOURNAL_TABLE'])
    const sqs = await createRegionalSqs(SEND_MS)
    return withTracing('replay', config, (tracing) =>
      replay(replayed, {
        journal: new JournalReader({ client: createDynamoDbClient(), tableName: config.JOURNAL_TABLE }),
        sender: new EventSender({ sqs, queueUrl: config.QUEUE_URL, tracing }),
        print,
        runId: newRunId(),
        origin: commandOrigin()
      })
    )
  }
}
