import { PermanentError } from '../errors.ts'
import type { Settlement } from '../queue/batcher.ts'

/**
 * Sends several items with one call. If the call is rejected permanently, sends each on its own, so that one
 * invalid item does not fail the others.
 *
 * @throws any other error of `send`, for all items
 */
export async function sendTogether<Item, Result>(
  items: readonly Item[],
  send: (items: readonly Item[]) => Promise<Result>
): Promise<Settlement<Result>[]> {
  try {
    const value = await send(items)
    return items.map(() => ({ ok: true, value }))
  } catch (error) {
    if (!(error instanceof PermanentError) || items.length === 1) throw error
  }
  const settlements: Settlement<Result>[] = []
  for (const item of items) {
    try {
      settlements.push({ ok: true, value: await send([item]) })
    } catch (error) {
      settlements.push({ ok: false, error })
    }
  }
  return settlements
}

/** Returns a `schedule` for a Batcher: items that are added within this time are sent together. */
export const within =
  (milliseconds: number) =>
  (flush: () => void): void => {
    // the timer must not keep the process alive; the run of a processor keeps it alive
    setTimeout(flush, milliseconds).unref()
  }
