import { pino } from 'pino'
import t from 'tap'
import type { JournalEntry } from '../../../app/journal/journal-entry.ts'
import { memoryJournal } from '../../../app/testing/memory-journal.ts'
import { sampleEvent } from '../../support/events.ts'

// test/app/journal/journal.test.ts compares it with the real journal in random steps

const event = sampleEvent('upload')
const waiting = { signal: new AbortController().signal, log: pino({ level: 'silent' }) }
const record = { at: '2026-06-01T12:00:00.000Z', attempts: 1, waits: 0 }
const started = { tag: { outcome: 'started' as const, ...record } }
const decide = (entry: JournalEntry | undefined) =>
  entry?.status === 'done' && entry.run === undefined
    ? { outcome: 'finished' as const }
    : { outcome: 'due' as const, started }

t.test('begins and records an event', async (t) => {
  const { journal, entries, writes } = memoryJournal(() => 0)
  t.equal(await journal.identify(event, waiting), event)
  const begun = await journal.startAttempt(event, () => ({ outcome: 'due' as const, started }), waiting)
  t.match(entries.get(event.id), { status: 'processing', attempts: 1, processors: started })
  const lastError = { processor: 'tag', code: 'BUSY', message: 'busy' }
  t.ok(await journal.record(begun.attempt, started, { status: 'retrying', lastError }, waiting))
  const again = await journal.startAttempt(event, () => ({ outcome: 'due' as const, started }), waiting)
  t.match(entries.get(event.id), { attempts: 2, lastError })
  t.notOk(await journal.record(begun.attempt, started, { status: 'done' }, waiting))
  t.ok(await journal.record(again.attempt, started, { status: 'done' }, waiting))
  t.strictSame(await journal.startAttempt(event, decide, waiting), { outcome: 'finished' })
  await journal.ignore(event, 'no processor', waiting)
  t.match(entries.get(event.id), { status: 'done', reason: undefined })
  t.strictSame(writes, ['start', 'record', 'start', 'record', 'record', 'ignore'])
})

t.test('reopens for a replay and saves why an event is ignored', async (t) => {
  const { journal, entries } = memoryJournal()
  await journal.ignore(event, 'no processor', waiting)
  t.match(entries.get(event.id), { status: 'ignored', reason: 'no processor', attempts: 0 })
  const run = { kind: 'replay' as const, id: 'r1' }
  await journal.startAttempt({ ...event, run }, () => ({ outcome: 'due' as const, started }), waiting)
  t.match(entries.get(event.id), { status: 'processing', run: 'r1', attempts: 1, reason: undefined })
})

t.test('a redrive that no processor handles any more is ignored; other finished events stay', async (t) => {
  const { journal, entries } = memoryJournal()
  const lastError = { processor: 'tag', code: 'BUSY', message: 'busy' }
  const { attempt } = await journal.startAttempt(event, () => ({ outcome: 'due' as const, started }), waiting)
  await journal.record(attempt, started, { status: 'dead', lastError }, waiting)
  await journal.ignore(event, 'no processor', waiting)
  t.match(entries.get(event.id), { status: 'dead' })
  await journal.ignore({ ...event, run: { kind: 'redrive', id: 'r1' } }, 'no processor', waiting)
  t.match(entries.get(event.id), { status: 'ignored', reason: 'no processor' })
})
