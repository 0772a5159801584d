import { ListenerError } from '../errors.ts'
import type { Settlement } from './batcher.ts'

/** The AWS SDK does not validate the entries: one can be null despite its types. */
interface BatchResponse {
  Successful?: ({ Id: string | undefined } | null)[] | undefined
  Failed?:
    | ({ Id: string | undefined; Code: string | undefined; Message?: string | undefined } | null)[]
    | undefined
}

/** Returns the outcome of each entry of an SQS batch, in order. SQS answers 200 even if some failed. */
export function settlements(
  entries: readonly { Id: string | undefined }[],
  response: BatchResponse
): Settlement<void>[] {
  const succeeded = new Set(response.Successful?.map((entry) => entry?.Id))
  return entries.map(({ Id }) => {
    if (succeeded.has(Id)) return { ok: true, value: undefined }
    const failure = response.Failed?.find((entry) => entry?.Id === Id)
    return {
      ok: false,
      error: new ListenerError(
        failure?.Code ?? 'NoAnswer',
        failure?.Message ?? 'the response of SQS has no entry for this message'
      )
    }
  })
}
