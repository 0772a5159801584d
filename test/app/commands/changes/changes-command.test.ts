import t from 'tap'
import type { Change, ChangeFeed, ChangesOptions } from '../../../../app/changes/change-feed.ts'
import { CloudinaryError } from '../../../../app/cloudinary/cloudinary-error.ts'
import {
  type PrintChangesOptions,
  parseChanges,
  printChanges,
  stampField
} from '../../../../app/commands/changes/changes-command.ts'
import { ListenerError } from '../../../../app/errors.ts'
import { lastUpdateTimestamp, type Processor } from '../../../../app/listener.ts'
import { collect } from '../../../support/operator.ts'

const since = new Date('2026-06-01T12:00:00Z')

/** Runs the command on changes of these assets, followed by the failure if there is one. */
async function run(
  args: string[],
  {
    assets = ['a', 'b'],
    failure,
    files = {},
    ...options
  }: Partial<PrintChangesOptions> & {
    assets?: string[]
    failure?: Error
    files?: Record<string, string>
  } = {}
) {
  const [output, errors] = [collect(), collect()]
  const opened: ChangesOptions[] = []
  let taken = 0
  async function* generate() {
    for (const asset_id of assets) {
      taken++
      yield { asset_id, cursor: () => `v1.${asset_id}` } as Change
    }
    if (failure) throw failure
  }
  const feed = {
    [Symbol.asyncIterator]: generate,
    cursor: () => `v1.after-${taken}`,
    assetsRead: assets.length,
    assetsStamped: assets.length
  }
  const exitCode = await printChanges(parseChanges(args), {
    open: (given) => {
      opened.push(given)
      return feed as unknown as ChangeFeed
    },
    field: 'touched',
    print: output.print,
    printError: errors.print,
    closed: new AbortController().signal,
    file: {
      read: async (path) => files[path],
      write: async (path, text) => {
        if (path.startsWith('/'))
          throw new ListenerError('CURSOR_FILE_UNUSABLE', `cannot write ${path}: EROFS`)
        files[path] = text
      }
    },
    ...options
  })
  return { exitCode, output: output.lines, errors: errors.lines, opened, files, taken: () => taken }
}

t.test('parses its options', async (t) => {
  const defaults = { overlapSeconds: 300, limit: Number.POSITIVE_INFINITY }
  for (const time of ['2026-06-01T12:00:00Z', '2026-06-01T14:00:00.000+02:00']) {
    t.strictSame(parseChanges(['--since', time]), { since, ...defaults })
  }
  t.strictSame(parseChanges(['--since', '2026-06-01']).since, new Date('2026-06-01T00:00:00Z'))
  t.strictSame(parseChanges(['--cursor-file', 'f', '--since', '2026-06-01']), {
    since: new Date('2026-06-01T00:00:00Z'),
    cursorFile: 'f',
    ...defaults
  })
  const all = [
    '--cursor',
    'v1.x',
    '--field',
    'touched',
    '--environment',
    'demo',
    '--overlap',
    '0',
    '--limit',
    '7'
  ]
  t.strictSame(parseChanges(all), {
    cursor: 'v1.x',
    field: 'touched',
    environment: 'demo',
    overlapSeconds: 0,
    limit: 7
  })
})

t.test('rejects invalid options', async (t) => {
  const invalid: [string[], RegExp][] = [
    [[], /needs --since, --cursor or --cursor-file/],
    [['--cursor', 'v1.x', '--since', '2026-06-01'], /--cursor cannot be combined/],
    [['--cursor', 'v1.x', '--cursor-file', 'f'], /--cursor cannot be combined/],
    [['--since', 'yesterday'], /--since yesterday is not a time/],
    [['--since', '2026-06-01T12:00:00'], /is not a time/],
    [['--since', '2026-02-30'], /is not a time/],
    [['--since', '2026-06-01', '--overlap', '-1'], /--overlap/],
    [['--since', '2026-06-01', '--overlap', 'x'], /--overlap x is not a whole number of 0 or more/],
    [['--since', '2026-06-01', '--limit', '0'], /--limit 0 is not a whole number of 1 or more/],
    [['--since', '2026-06-01', '--limit', '1e3'], /--limit/],
    [['--since', '2026-06-01', 'more'], /more/]
  ]
  for (const [args, message] of invalid) {
    t.throws(() => parseChanges(args), { code: 'USAGE', message }, args.join(' '))
  }
})

t.test('defaults to the metadata field of the processors', async (t) => {
  const other: Processor = { name: 'other', on: ['*'], handle: () => {} }
  t.equal(stampField([other]), 'last_update_timestamp')
  t.equal(stampField([other, lastUpdateTimestamp({ field: 'touched' })]), 'touched')
  const [one, two] = [
    lastUpdateTimestamp({ field: 'one' }),
    lastUpdateTimestamp({ field: 'two', name: 'two' })
  ]
  t.throws(() => stampField([one, two]), { code: 'USAGE', message: /--field: one, two$/ })
})

t.test('prints a line for each change, and the cursor on standard error', async (t) => {
  const { exitCode, output, errors, opened } = await run(['--since', '2026-06-01T12:00:00Z'])
  t.equal(exitCode, 0)
  t.strictSame(output, ['{"asset_id":"a"}', '{"asset_id":"b"}'])
  t.strictSame(errors, ['2 changes.', 'Resume with --cursor v1.after-2'])
  t.strictSame(opened, [{ since, field: 'touched', overlapSeconds: 300 }])
  t.match(await run(['--cursor', 'v1.x']), { opened: [{ cursor: 'v1.x' }] })
})

t.test('stops at the limit', async (t) => {
  const { exitCode, output, errors } = await run(['--since', '2026-06-01', '--limit', '1'])
  t.equal(exitCode, 0)
  t.strictSame(output, ['{"asset_id":"a"}'])
  t.strictSame(errors, ['1 change.', 'Resume with --cursor v1.after-1'])
})

t.test('stores the cursor in a file', async (t) => {
  const files: Record<string, string> = {}
  const args = ['--cursor-file', 'cursor']
  await t.rejects(run(args, { files }), { code: 'USAGE', message: /^cursor does not exist yet; .*--since/ })
  const first = await run([...args, '--since', '2026-06-01'], { files })
  t.match(first, { exitCode: 0, errors: ['2 changes.', 'Resume with --cursor-file cursor'] })
  t.strictSame(files, { cursor: 'v1.after-2' })
  t.match(await run([...args, '--since', '2026-06-01'], { files }), { opened: [{ cursor: 'v1.after-2' }] })
  t.notOk('since' in (await run([...args, '--since', '2026-06-01'], { files })).opened[0]!)
})

t.test('prints the cursor if the file cannot be written', async (t) => {
  const { exitCode, errors } = await run(['--cursor-file', '/cursor', '--since', '2026-06-01'])
  t.equal(exitCode, 1)
  t.match(errors, ['2 changes.', 'cannot write /cursor: EROFS', 'Resume with --cursor v1.after-2'])
})

t.test('returns 3 if rate-limited, and prints when to resume', async (t) => {
  const until = new Date('2026-06-01T13:00:00Z')
  const failure = new CloudinaryError('CLOUDINARY_ALLOWANCE_SPENT', '50 calls are left', {
    kind: 'rate-limited',
    until
  })
  const { exitCode, output, errors } = await run(['--since', '2026-06-01'], { failure })
  t.equal(exitCode, 3)
  t.equal(output.length, 2)
  t.strictSame(errors, [
    '50 calls are left',
    '2 changes.',
    'Resume with --cursor v1.after-2',
    'The Admin API is rate-limited until 2026-06-01T13:00:00.000Z; resume then.'
  ])
})

t.test('prints the error, and the cursor after the printed changes', async (t) => {
  const failure = new CloudinaryError('CLOUDINARY_UNREACHABLE', 'no\nanswer', { kind: 'retryable' })
  const { exitCode, errors } = await run(['--since', '2026-06-01'], { failure })
  t.equal(exitCode, 1)
  t.strictSame(errors, ['no answer', '2 changes.', 'Resume with --cursor v1.after-2'])
})

t.test('stops without a cursor if the output is closed', async (t) => {
  const closed = new AbortController()
  const print = () => closed.abort()
  const files = {}
  const args = ['--since', '2026-06-01', '--cursor-file', 'cursor']
  const ran = await run(args, { assets: ['a', 'b', 'c'], print, closed: closed.signal, files })
  t.equal(ran.exitCode, 0)
  t.match(ran.errors, [/output was closed.*--limit/])
  t.equal(ran.taken(), 2)
  t.strictSame(files, {})
})

t.test('warns if no asset has a time in the field', async (t) => {
  const reading = {
    assetsRead: 7,
    assetsStamped: 0,
    cursor: () => 'v1.x',
    async *[Symbol.asyncIterator]() {}
  }
  const open = () => reading as unknown as ChangeFeed
  const { exitCode, errors } = await run(['--since', '2026-06-01'], { open })
  t.equal(exitCode, 0)
  t.match(errors[0], /field touched/)
})

t.test('reports an invalid cursor as a wrong option', async (t) => {
  const refusing = (code: string) => ({
    open: () => {
      throw new ListenerError(code, 'invalid cursor')
    }
  })
  await t.rejects(run(['--cursor', 'x'], refusing('CHANGES_CURSOR_INVALID')), {
    code: 'USAGE',
    message: /^invalid cursor$/
  })
  const files = { cursor: 'x' }
  await t.rejects(run(['--cursor-file', 'cursor'], { ...refusing('CHANGES_CURSOR_INVALID'), files }), {
    code: 'USAGE',
    message: 'cursor: invalid cursor'
  })
  await t.rejects(run(['--cursor', 'x'], refusing('OTHER')), { code: 'OTHER' })
})
