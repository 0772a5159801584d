import { ListenerError } from '../errors.ts'
import type { Settlement } from './batcher.ts'

/** The AWS SDK checks no element: one can be null, whatever its types say. */
interface BatchAnswer {
  Successful?: ({ Id: string | undefined } | null)[] | undefined
  Failed?:
    | ({ Id: string | undefined; Code: string | undefined; Message?: string | undefined } | null)[]
    | undefined
}

/** How each entry of an SQS batch call ended, in the order of the entries: SQS answers 200 to a batch that failed in part. */
export function settlements(
  entries: readonly { Id: string | undefined }[],
  answer: BatchAnswer
): Settlement<void>[] {
  const succeeded = new Set(answer.Successful?.map((entry) => entry?.Id))
  return entries.map(({ Id }) => {
    if (succeeded.has(Id)) return { ok: true, value: undefined }
    const failure = answer.Failed?.find((entry) => entry?.Id === Id)
    return {
      ok: false,
      error: new ListenerError(
        failure?.Code ?? 'NoAnswer',
        failure?.Message ?? 'SQS gave no answer for this message'
      )
    }
  })
}
