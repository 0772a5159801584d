import type { Beginning, Journal, ProcessorRecord, Status, Verdict } from '../../app/journal/journal.ts'

interface Entry {
  status: Status
  attempts: number
  processors: Record<string, ProcessorRecord>
  verdict?: Verdict
  reason?: string
  run?: string
}

/** A journal in memory, for tests of what uses one; the real one is tested on its own and by the system's tests. */
export function memoryJournal() {
  const entries = new Map<string, Entry>()
  const writes: string[] = []
  const unfinished = (entry: Entry) => entry.status === 'processing' || entry.status === 'retrying'
  const journal: Pick<Journal, 'begin' | 'record' | 'ignore'> = {
    async begin({ id, run }): Promise<Beginning> {
      writes.push('begin')
      const entry: Entry = entries.get(id) ?? { status: 'processing', attempts: 0, processors: {} }
      if (run && entry.run !== run.id) Object.assign(entry, { run: run.id, status: 'retrying', attempts: 0 })
      if (!unfinished(entry)) return { outcome: 'finished' }
      entry.status = 'processing'
      entry.attempts++
      entries.set(id, entry)
      return { outcome: 'begun', attempts: entry.attempts, processors: { ...entry.processors } }
    },
    async record(id, processor, verdict) {
      writes.push('record')
      const entry = entries.get(id)!
      if (!unfinished(entry)) return
      if (processor) entry.processors[processor.name] = processor.record
      if (!verdict) return
      entry.status = verdict.status
      entry.verdict = verdict
      if (verdict.uncounted) entry.attempts--
    },
    async ignore({ id }, reason) {
      writes.push('ignore')
      const entry = entries.get(id)
      if (entry && !unfinished(entry)) return
      entries.set(id, { attempts: 0, processors: {}, ...entry, status: 'ignored', reason })
    }
  }
  return { journal, entries, writes }
}
