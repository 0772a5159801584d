import { randomUUID } from 'node:crypto'
import type { AssetEvent } from '../ingest/event.ts'
import type { AttemptOutcome, AttemptStart, Journal, WithAttempt } from '../journal/journal.ts'
import { type JournalEntry, UNFINISHED } from '../journal/journal-entry.ts'

interface Entry extends JournalEntry {
  lastError?: AttemptOutcome['lastError']
  reason?: string
}

type MemoryJournal = Pick<Journal, 'identify' | 'startAttempt' | 'record' | 'ignore'>

/** An in-memory journal for tests. Its own tests and the system tests use the real one. */
export function memoryJournal(clock: () => number = Date.now) {
  const entries = new Map<string, Entry>()
  const writes: string[] = []
  const journal: MemoryJournal = {
    async identify(event) {
      return event
    },
    async startAttempt<Decision extends object>(
      event: AssetEvent,
      decide: (entry: JournalEntry | undefined) => Decision
    ) {
      const entry = entries.get(event.id)
      const decision = decide(entry) as Decision & Partial<AttemptStart>
      if (!decision.started) return decision as WithAttempt<Decision>
      writes.push('start')
      const reopens = event.run !== undefined && event.run.id !== entry?.run
      const openedAt = (reopens ? undefined : entry?.openedAt) ?? new Date(clock()).toISOString()
      const before = entry?.processors ?? {}
      const attemptId = randomUUID()
      const { reason: _, lastError, ...kept } = entry ?? {}
      entries.set(event.id, {
        ...kept,
        ...(!reopens && lastError && { lastError }),
        status: 'processing',
        attempts: (reopens ? 0 : (entry?.attempts ?? 0)) + 1,
        processors: { ...before, ...decision.started },
        openedAt,
        attemptId,
        ...(event.run && { run: event.run.id })
      })
      return {
        ...decision,
        attempt: { id: attemptId, eventId: event.id, openedAt, before }
      } as WithAttempt<Decision>
    },
    async record(attempt, processors, outcome) {
      writes.push('record')
      const entry = entries.get(attempt.eventId)
      if (entry?.attemptId !== attempt.id) return false
      Object.assign(entry, { processors, ...outcome })
      return true
    },
    async ignore({ id, run }, reason) {
      writes.push('ignore')
      const entry = entries.get(id)
      if (entry && !UNFINISHED.includes(entry.status) && !(run && entry.status === 'dead')) return
      entries.set(id, { attempts: 0, processors: {}, ...entry, status: 'ignored', reason })
    }
  }
  return { journal, entries, writes }
}
