import t from 'tap'
import { changes, lastUpdateTimestamp } from '../../../app/listener.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'
import { runHere } from '../../support/commands.ts'
import { buildListener } from '../../support/listener.ts'
import { runRole } from '../../support/role.ts'

const FIELD = 'last_update_timestamp'
const SECOND = 1000

/** Returns a generator of numbers in [0, 1), deterministic by seed. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

t.test('a CMS that polls during 800 writes misses no change and keeps no stale state', async (t) => {
  const CHANGES = 800
  const ASSETS = 480
  const LAG_MS = 60 * SECOND
  const random = numbers(20_260_601)
  let now = Date.parse('2026-06-01T12:00:00Z')
  const clock = () => now
  // most changes are indexed within seconds, some much later than newer ones
  const searchLagMs = () => (random() < 0.9 ? random() * 3 * SECOND : random() * LAG_MS)
  const { cloudinary, clients } = await buildCloudinary(t, { clock }, { clock, searchLagMs })
  cloudinary.cloud().metadataFields.create({ external_id: FIELD, label: 'Last update', type: 'string' })
  const client = clients.for('demo', new AbortController().signal)
  const names = Array.from({ length: ASSETS }, (_, index) => `asset-${index}`)
  for (const publicId of names) cloudinary.as().upload({ publicId })
  now += SECOND
  const since = new Date(now)

  const written: { publicId: string; stamp: string }[] = []
  const write = (count: number) => {
    for (let left = count; left > 0 && written.length < CHANGES; left--) {
      now += Math.ceil(random() * 100)
      // each asset once, and some repeatedly
      const again = written.length >= ASSETS || random() < 0.2
      const publicId = names[again ? Math.floor(random() * ASSETS) : written.length]!
      const stamp = new Date(now).toISOString()
      cloudinary.as().setMetadata(publicId, { [FIELD]: stamp })
      written.push({ publicId, stamp })
    }
  }

  const told: { publicId: string; stamp: string }[] = []
  let cursor: string | undefined
  let polls = 0
  let restarts = 0
  const poll = async () => {
    polls++
    const before = told.length
    const feed = changes(client, {
      ...(cursor ? { cursor } : { since }),
      overlapSeconds: LAG_MS / SECOND,
      pageSize: 100,
      clock
    })
    for await (const change of feed) {
      told.push({ publicId: change.public_id, stamp: change.changed_at })
      // a write during the read moves assets to a later page
      if (random() < 0.3) write(1)
      if (random() < 0.01) {
        restarts++
        // a CMS that restarts resumes after the last change that it handled
        cursor = change.cursor()
        return told.length - before
      }
    }
    cursor = feed.cursor()
    return told.length - before
  }
  while (written.length < CHANGES) {
    write(50)
    await poll()
  }
  now += LAG_MS
  while ((await poll()) > 0);
  t.equal(await poll(), 0)

  t.equal(written.length, CHANGES)
  const newest = new Map(told.map(({ publicId, stamp }) => [publicId, stamp]))
  const missed = written.filter(({ publicId, stamp }) => !((newest.get(publicId) ?? '') >= stamp))
  t.strictSame(missed, [], 'each change is reported, or a later one of the same asset')
  const stale = names.filter(
    (name) => newest.has(name) && newest.get(name) !== cloudinary.assets.find(name)?.metadata[FIELD]
  )
  t.strictSame(stale, [], 'the last reported state is the current one')
  t.equal(
    new Set(told.map(({ publicId, stamp }) => `${publicId} ${stamp}`)).size,
    told.length,
    'no duplicates'
  )
  t.ok(polls > 10, `${polls} polls`)
  t.ok(restarts > 0, `${restarts} restarts`)
  const { length: calls } = cloudinary.calls.filter(({ action }) => action === 'search')
  t.comment(`${told.length} of ${CHANGES} changes reported in ${polls} polls, ${calls} calls`)
})

t.test('changes prints stamped assets and resumes from a cursor', async (t) => {
  const system = await buildListener(t, [lastUpdateTimestamp({ requireMetadata: 'cms_id' })])
  const { cloudinary, atRest, environment, lines } = system
  const since = new Date().toISOString()
  const run = async (...args: string[]) => {
    const { exitCode, output } = await runHere('changes', ...args)
    const isFound = (line: string) => line.startsWith('{')
    const found = output.filter(isFound).map((line) => JSON.parse(line) as Record<string, unknown>)
    const said = output.filter((line) => line !== '' && !isFound(line))
    const [cursor] = said.flatMap((line) => /--cursor (\S+)$/.exec(line)?.[1] ?? [])
    return {
      exitCode,
      found,
      names: found.map(({ public_id }) => public_id).toSorted(),
      said,
      cursor: cursor!
    }
  }
  for (const publicId of ['a', 'b']) cloudinary.as().upload({ publicId, metadata: { cms_id: publicId } })
  cloudinary.as().upload({ publicId: 'not-of-the-cms' })
  await atRest()
  t.match(
    lines.find(({ asset, msg }) => asset === 'not-of-the-cms' && msg === 'event processed'),
    { note: 'skipped: cms_id is not set' }
  )

  const first = await run('--since', since)
  t.match(first, { exitCode: 0, names: ['a', 'b'], said: ['2 changes.', /^Resume with --cursor v1\./] })
  t.match(first.found[0], { metadata: { cms_id: /^[ab]$/, [FIELD]: /^2/ }, changed_at: /Z$/ })

  cloudinary.as().addTags('b', ['sale'])
  cloudinary.as().setMetadata('not-of-the-cms', { cms_id: 'c' })
  await atRest()
  const second = await run('--cursor', first.cursor)
  t.match(second, { exitCode: 0, names: ['b', 'not-of-the-cms'] })
  t.strictSame(second.found.find(({ public_id }) => public_id === 'b')?.tags, ['sale'], 'the current state')

  // as `… | head` does
  const unread = runRole(t, ['changes', '--since', since], environment)
  unread.child.stdout?.destroy()
  t.equal(await unread.ended, 0)
  t.match(
    unread.lines.filter(({ msg }) => msg !== ''),
    [{ msg: /output was closed/ }]
  )
})
