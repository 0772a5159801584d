import t from 'tap'
import { expire } from '../../../app/listener.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { CLOUDINARY_FAULTS, hurried } from '../../support/cloudinary-faults.ts'
import { buildListener } from '../../support/listener.ts'
import { buildSchedules } from '../../support/schedules.ts'

const DAY_MS = 86_400_000
let now = Date.now()
const dayIn = (days: number) => new Date(now + days * DAY_MS).toISOString().slice(0, 10)

const processors = [
  hurried(
    expire({ warnDays: [7], where: 'public_id:kept*' }, () => now),
    ({ asset }) => asset?.publicId === 'kept-hanging'
  ),
  expire({ name: 'delete', action: 'delete', where: 'public_id:gone*' }, () => now)
]
const system = await buildListener(t, processors, { retriesSoon: true })
const { cloudinary, sqs, atRest, lines } = system
const schedules = await buildSchedules(t, system, processors)

const upload = (publicId: string, days: number) =>
  cloudinary.as().upload({ publicId, resourceType: 'image', metadata: { expires_on: dayIn(days) } })
const tags = (publicId: string) => cloudinary.assets.find(publicId)?.tags
const notes = () =>
  lines
    .filter(({ msg, type }) => msg === 'event processed' && type === 'scheduled_search')
    .map(({ note }) => note)
const tomorrow = async () => {
  now += DAY_MS
  const { exitCode } = await schedules(now)
  await atRest()
  return exitCode
}

t.test('warns once, tags on the day, and deletes where that was asked for', async (t) => {
  t.equal((await schedules(now)).exitCode, 0)
  upload('kept', 3)
  upload('gone', 2)
  upload('other', 1)
  await atRest()
  t.equal(await tomorrow(), 0)
  t.strictSame(tags('kept'), ['expires-soon'])
  t.ok(cloudinary.assets.find('gone'))
  await tomorrow()
  t.equal(cloudinary.assets.find('gone'), undefined)
  await tomorrow()
  t.strictSame(tags('kept'), ['expires-soon', 'expired'])
  t.match(notes(), [/^warned/, /^skipped: warned|^deleted/, /^deleted|^skipped: warned/, /^tagged "expired"/])
  const calls = cloudinary.calls.length
  await tomorrow()
  t.equal(cloudinary.calls.length - calls, 2, 'only the searches')
  t.strictSame(tags('other'), [])
})

t.test('a repeated run adds nothing', async (t) => {
  upload('kept-2', -1)
  await atRest()
  await tomorrow()
  const before = notes().length
  t.equal((await schedules(now)).exitCode, 0)
  await atRest()
  t.equal(notes().length, before)
})

t.test('keeps an asset whose day was changed after the search', async (t) => {
  upload('gone-2', 0)
  await atRest()
  cloudinary.faults.add({ kind: 'status', status: 503, action: 'explicit', count: 1 })
  now += DAY_MS
  t.equal((await schedules(now)).exitCode, 0)
  cloudinary.ui().setMetadata('gone-2', { expires_on: dayIn(10) })
  await atRest()
  t.ok(cloudinary.assets.find('gone-2'))
  t.match(notes().at(-1), /^skipped: /)
})

t.test('a search that fails is repeated by the next run', async (t) => {
  for (const [name, { fault }] of Object.entries(CLOUDINARY_FAULTS)) {
    const publicId = `kept-found-${name}`
    upload(publicId, -1)
    await atRest()
    cloudinary.faults.add({ ...fault(), action: 'search', count: 1 })
    // a limit is not an error: the next run resumes
    t.equal(await tomorrow(), name === 'limited' ? 0 : 1, name)
    t.strictSame(tags(publicId), [])
    t.equal((await schedules(now)).exitCode, 0)
    await atRest()
    t.strictSame(tags(publicId), ['expired'])
  }
  t.strictSame(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready, [])
})

t.test('a time-out, a failure, wrong credentials and a rate limit delay an action', async (t) => {
  const { limited, ...others } = CLOUDINARY_FAULTS
  for (const faults of [others, { limited: limited! }]) {
    for (const [name, { fault }] of Object.entries(faults)) {
      const publicId = `kept-${name}`
      upload(publicId, 0)
      cloudinary.faults.add({ ...fault(), action: 'explicit', publicId, count: 1 })
    }
    await atRest()
    t.equal(await tomorrow(), 0)
  }
  for (const [name, { code }] of Object.entries(CLOUDINARY_FAULTS)) {
    t.strictSame(tags(`kept-${name}`), ['expired'])
    t.match(
      lines.filter(({ msg, asset }) => msg === 'event failed; will be retried' && asset === `kept-${name}`),
      [{ err: { code } }],
      name
    )
  }
})
