import { ListenerError } from '../errors.ts'
import type { ActivityStore } from './activity-store.ts'

/** Maximum numbers of concurrent calls of the store, and of calls that wait for their turn. */
const MAX_CALLS = 8
const MAX_WAITING = 32

export interface StoreLimits {
  maximumCalls?: number
  maximumWaiting?: number
}

/**
 * Returns a store that bounds the load on the journal: calls beyond the limit wait for their turn. Its
 * methods throw OVERLOADED if too many calls wait.
 */
export function limitStore(store: ActivityStore, limits: StoreLimits = {}): ActivityStore {
  const { maximumCalls = MAX_CALLS, maximumWaiting = MAX_WAITING } = limits
  const waiting: { start: () => void }[] = []
  let calls = 0

  const turn = (signal: AbortSignal | undefined): Promise<void> => {
    signal?.throwIfAborted()
    if (calls < maximumCalls) {
      calls++
      return Promise.resolve()
    }
    if (waiting.length >= maximumWaiting) {
      throw new ListenerError('OVERLOADED', 'too many requests read the journal; try again in a few seconds')
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        waiting.splice(waiting.indexOf(entry), 1)
        reject(signal?.reason)
      }
      const entry = {
        start: () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        }
      }
      waiting.push(entry)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  const limited = async <Result>(signal: AbortSignal | undefined, call: () => Promise<Result>) => {
    await turn(signal)
    try {
      return await call()
    } finally {
      const next = waiting.shift()
      if (next) next.start()
      else calls--
    }
  }

  return {
    list: (query) => limited(query.signal, () => store.list(query)),
    find: (id) => limited(undefined, () => store.find(id)),
    history: (group, query) => limited(query.signal, () => store.history(group, query)),
    unfinished: (status, query) => limited(query.signal, () => store.unfinished(status, query)),
    minutes: (from, until, signal) => limited(signal, () => store.minutes(from, until, signal)),
    queue: (signal) => limited(signal, () => store.queue(signal)),
    refused: (signal) => limited(signal, () => store.refused(signal))
  }
}
