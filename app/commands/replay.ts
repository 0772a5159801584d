import { readConfig } from '../config.ts'
import { createDynamoDbClient } from '../journal/dynamodb.ts'
import type { JournaledEvent } from '../journal/journal-entry.ts'
import { JournalReader } from '../journal/journal-reader.ts'
import type { ProcessorRecord } from '../journal/processor-record.ts'
import { EventSender } from '../queue/event-sender.ts'
import { createRegionalSqs, newRunId, SEND_MS } from '../wiring.ts'
import { type Print, readArguments, UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { explain } from './explain-error.ts'
import { assetOf, count, lineOf } from './report-line.ts'

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
  journal: Pick<JournalReader, 'find'>
  sender: Pick<EventSender, 'store'>
  print: Print
  /** Names this run. */
  runId: string
}

const OF_JOURNAL = { missing: 'correct JOURNAL_TABLE or AWS_REGION', permission: 'dynamodb:GetItem' }
const OF_QUEUE = { missing: 'correct QUEUE_URL or AWS_REGION', permission: 'sqs:SendMessage' }

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
  let failed = 0
  for (const id of ids) if (!(await replayOne(id, dryRun, options))) failed++
  const events = count(ids.length - failed, 'event')
  const done = dryRun ? `Would replay ${events}; nothing was run` : `Replayed ${events} as run ${runId}`
  print(`${done}. Failed: ${failed}.`)
  if (failed < ids.length) {
    print(
      dryRun
        ? 'Next: run it without --dry-run.'
        : "Next: the worker's log has these events with run replay; replay --dry-run prints how they went."
    )
  }
  return failed > 0 ? 1 : 0
}

/** Resolves to false when it could not be run again; why is printed. */
async function replayOne(id: string, dryRun: boolean, options: ReplayOptions): Promise<boolean> {
  const { journal, sender, print, runId } = options
  const failed = (line: string) => {
    print(lineOf(line))
    return false
  }
  let found: JournaledEvent | undefined
  try {
    found = await journal.find(id)
  } catch (error) {
    return failed(`${id}  not replayed: cannot read the journal: ${explain(causeOf(error), OF_JOURNAL)}`)
  }
  if (!found) {
    return failed(
      `${id}  not replayed: the journal does not know it; the id is wrong, or the event older than the journal remembers`
    )
  }
  for (const line of describe(id, found)) print(line)
  if (!found.event)
    return failed('  not replayed: its payload was too large to be kept (over 300 KB compressed)')
  if (dryRun) {
    print('  would be sent to the queue')
    return true
  }
  try {
    await sender.store([{ ...found.event, run: { kind: 'replay', id: runId } }], NEVER)
  } catch (error) {
    return failed(`  not replayed: cannot send to the queue: ${explain(causeOf(error), OF_QUEUE)}`)
  }
  print('  sent to the queue')
  return true
}

/** What our own errors wrap says more of what to mend. */
const causeOf = (error: unknown) => (error as Error).cause ?? error

function* describe(id: string, { event, status, attempts, processors }: JournaledEvent): Iterable<string> {
  const what = event ? [event.type, assetOf(event), event.occurredAt] : []
  yield lineOf(id, ...what, `${status} after ${count(attempts, 'attempt')}`)
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
  summary: 'runs events of the journal again',
  usage: REPLAY_USAGE,
  async run(args, print) {
    const events = parseReplay(args)
    const config = readConfig(['QUEUE_URL', 'JOURNAL_TABLE'])
    const sqs = await createRegionalSqs(SEND_MS)
    return replay(events, {
      journal: new JournalReader({ client: createDynamoDbClient(), tableName: config.JOURNAL_TABLE }),
      sender: new EventSender({ sqs, queueUrl: config.QUEUE_URL }),
      print,
      runId: newRunId()
    })
  }
}
