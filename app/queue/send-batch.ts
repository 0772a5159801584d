import { ListenerError } from '../errors.ts'
import type { Settlement } from './batcher.ts'

/** The AWS SDK does not validate the entries: one can be null despite its types. */
interface BatchResponse {
  Successful?: ({ Id: string | undefined } | null)[] | undefined
  Failed?:
    | ({ Id: string | undefined; Code: string | undefined; Message?: string | undefined } | null)[]
    | undefined
}

/** Sends items as one SQS batch. Returns the outcome of each, in order: SQS answers 200 even if some failed. */
export async function sendBatch<Item extends object>(
  items: readonly Item[],
  send: (entries: (Item & { Id: string })[]) => Promise<BatchResponse>
): Promise<Settlement<void>[]> {
  const entries = items.map((item, index) => ({ ...item, Id: String(index) }))
  const response = await send(entries)
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
