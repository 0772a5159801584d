import { type AssetEvent, replayOf } from '../ingest/event.ts'

/**
 * Returns the id under which a processor sends an event: the same for each attempt, so that receivers can
 * deduplicate. A replay gets a new id, and a redrive of that replay keeps it. At most 128 characters (a limit
 * of SNS), without full stops (a rule of Standard Webhooks).
 */
export function messageId({ id, run }: Pick<AssetEvent, 'id' | 'run'>, processor: string): string {
  const replay = replayOf(run)
  return [id, processor.replaceAll('.', '~'), ...(replay ? [replay] : [])].join(':')
}
