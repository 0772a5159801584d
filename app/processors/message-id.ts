import { type AssetEvent, replayOf } from '../ingest/event.ts'

/**
 * The name under which a processor tells others of an event: the same for every try, so that a repetition can be told; a
 * replay is meant to be acted upon again, and has another, which a redrive of it keeps. At most 128 characters, as SNS has
 * it, and without full stops, as Standard Webhooks has it.
 */
export function messageId({ id, run }: Pick<AssetEvent, 'id' | 'run'>, processor: string): string {
  const replay = replayOf(run)
  return [id, processor.replaceAll('.', '~'), ...(replay ? [replay] : [])].join(':')
}
