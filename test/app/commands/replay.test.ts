import t from 'tap'
import { parseReplay, replay } from '../../../app/commands/replay.ts'
import { ListenerError } from '../../../app/errors.ts'
import type { JournaledEvent } from '../../../app/journal/journal-entry.ts'
import { collect, eventOf } from '../../support/operator.ts'

const at = '2026-06-01T12:00:05.000Z'
const ran = { at, milliseconds: 1, attempts: 1, waits: 0 }
const ORIGIN = { by: 'anna', at, from: 'command' } as const
const RUN = { kind: 'replay', id: 'r1', ...ORIGIN }

const journaled: Record<string, JournaledEvent> = {
  one: {
    event: eventOf('one'),
    status: 'done',
    attempts: 2,
    processors: {
      tagger: { ...ran, outcome: 'succeeded', note: 'tagged' },
      'cms-sync': { ...ran, outcome: 'dead', code: 'PERMANENT', message: 'no\nsuch article' },
      quiet: { ...ran, outcome: 'succeeded' }
    }
  },
  ignored: { event: eventOf('ignored'), status: 'ignored', attempts: 0, processors: {} },
  large: { event: undefined, status: 'done', attempts: 1, processors: {} }
}

const failure = (code: string, name: string) =>
  new ListenerError(code, 'says little', { cause: Object.assign(new Error(), { name }) })

function build() {
  const { lines, print } = collect()
  const sent: unknown[] = []
  return {
    lines,
    sent,
    options: {
      journal: { find: async (id: string) => journaled[id] },
      sender: { store: async (events: readonly unknown[]) => void sent.push(...events) },
      print,
      runId: 'r1',
      origin: ORIGIN
    }
  }
}

t.test('parses its options', async (t) => {
  t.strictSame(parseReplay(['a', 'b', 'a']), { ids: ['a', 'b'], dryRun: false })
  t.strictSame(parseReplay(['a', '--dry-run']), { ids: ['a'], dryRun: true })
  t.throws(() => parseReplay([]), { code: 'USAGE' })
  t.throws(() => parseReplay(['']), { code: 'USAGE' })
  t.throws(() => parseReplay(['a', '--bogus']), { code: 'USAGE' })
})

t.test('sends events again and prints their outcomes', async (t) => {
  const { lines, sent, options } = build()
  t.equal(await replay({ ids: ['one', 'ignored'], dryRun: false }, options), 0)
  t.strictSame(sent, [
    { ...eventOf('one'), run: RUN },
    { ...eventOf('ignored'), run: RUN }
  ])
  t.match(lines, [
    'one  upload  asset-of-one  2026-06-01T12:00:00.000Z  done after 2 attempts',
    `  tagger    succeeded  ${at}  tagged`,
    `  cms-sync  dead  ${at}  PERMANENT: no such article`,
    `  quiet     succeeded  ${at}`,
    '  sent to the queue',
    'ignored  upload  asset-of-ignored  2026-06-01T12:00:00.000Z  ignored after 0 attempts',
    '  sent to the queue',
    'Replayed 2 events as run r1. Failed: 0.',
    /^Next: /
  ])
})

t.test('continues after an event that cannot be replayed', async (t) => {
  const { lines, sent, options } = build()
  t.equal(await replay({ ids: ['nonsense', 'large', 'one'], dryRun: false }, options), 1)
  t.equal(sent.length, 1)
  t.match(lines[0], /^nonsense {2}not replayed: not in the journal/)
  t.strictSame(lines[1], 'large  done after 1 attempt')
  t.match(lines[2], /^ {2}not replayed: its payload was too large .*300 KB/)
  t.match(lines.at(-2), 'Replayed 1 event as run r1. Failed: 2.')
})

t.test('sends nothing in a dry run', async (t) => {
  const { lines, sent, options } = build()
  t.equal(await replay({ ids: ['one'], dryRun: true }, options), 0)
  t.strictSame(sent, [])
  t.match(lines.slice(-3), [
    '  would be sent to the queue',
    'Would replay 1 event; nothing was sent. Failed: 0.',
    /without --dry-run/
  ])
})

t.test('reports an error of the journal or the queue, and what to do', async (t) => {
  const { lines, options } = build()
  const find = () => Promise.reject(failure('JOURNAL_UNAVAILABLE', 'ResourceNotFoundException'))
  t.equal(await replay({ ids: ['one'], dryRun: false }, { ...options, journal: { find } }), 1)
  t.match(lines, [
    /^one {2}not replayed: the journal: .*correct JOURNAL_TABLE/,
    'Replayed 0 events as run r1. Failed: 1.'
  ])
  const store = () => Promise.reject(failure('QUEUE_UNAVAILABLE', 'AccessDenied'))
  t.equal(await replay({ ids: ['one'], dryRun: false }, { ...options, sender: { store } }), 1)
  t.match(lines.at(-2), /^ {2}not replayed: the queue: .*sqs:SendMessage$/)
  const tooLarge = () => Promise.reject(new ListenerError('EVENT_TOO_LARGE', 'it is too large'))
  await replay({ ids: ['one'], dryRun: false }, { ...options, sender: { store: tooLarge } })
  t.match(lines.at(-2), 'it is too large')
})
