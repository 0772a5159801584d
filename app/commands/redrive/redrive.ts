import { readConfig } from '../../config.ts'
import { EVENT_TYPES } from '../../ingest/event.ts'
import { SILENT } from '../../logger.ts'
import { DeadLetterReader } from '../../queue/dead-letter-reader.ts'
import { EventSender } from '../../queue/event-sender.ts'
import { withTracing } from '../../tracing/create-tracing.ts'
import { createRegionalSqs, newRunId, RECEIVE_MS } from '../../wiring.ts'
import { readArguments, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { commandOrigin } from '../command-origin.ts'
import { interruption } from '../interruption.ts'
import { moveDeadLetters, type RedriveArguments } from './move-dead-letters.ts'

export const REDRIVE_USAGE = `Usage: node app/main.ts redrive [option…]

Moves dead letters back to the queue, after you have fixed the cause. Processors that succeeded for an event
do not run again. Prints a line for each dead letter: outcome, event ID, type, asset, time, processor,
reason.

  --id EVENT_ID      only dead letters of this event; may be repeated
  --type EVENT_TYPE  only dead letters of this event type, such as upload; may be repeated
  --dry-run          moves nothing, and prints what it would move

Exit code: 0 on success; 1 if a dead letter could not be moved; 2 for a wrong option. Ctrl-C stops it
safely.
`

/** @throws {UsageError} */
export function parseRedrive(args: string[]): RedriveArguments {
  const { values } = readArguments({
    args,
    options: {
      id: { type: 'string', multiple: true, default: [] },
      type: { type: 'string', multiple: true, default: [] },
      'dry-run': { type: 'boolean', default: false }
    }
  })
  const { id: ids, type: types } = values
  if (ids.includes('')) throw new UsageError('--id needs an event ID')
  const unknown = types.find((type) => !(EVENT_TYPES as readonly string[]).includes(type))
  if (unknown !== undefined) {
    throw new UsageError(`--type "${unknown}" is not an event type; use one of: ${EVENT_TYPES.join(', ')}`)
  }
  return { ids, types, dryRun: values['dry-run'] }
}

export const redriveCommand: Command = {
  usage: REDRIVE_USAGE,
  async run(args, print) {
    const selection = parseRedrive(args)
    const config = readConfig(['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL'])
    const sqs = await createRegionalSqs(RECEIVE_MS)
    return withTracing('redrive', config, (tracing) =>
      moveDeadLetters(selection, {
        reader: new DeadLetterReader({ sqs, queueUrl: config.DEAD_LETTER_QUEUE_URL, log: SILENT }),
        sender: new EventSender({ sqs, queueUrl: config.QUEUE_URL, tracing }),
        print,
        runId: newRunId(),
        origin: commandOrigin(),
        signal: interruption(),
        clock: Date.now
      })
    )
  }
}
