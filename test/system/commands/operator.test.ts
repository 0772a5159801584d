import t, { type Test } from 'tap'
import { PermanentError, type Processor } from '../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/sqs.ts'
import { runHere, withEnvironment } from '../../support/commands.ts'
import { buildListener, type ListenerUnderTest } from '../../support/listener.ts'

/** A listener whose processor adds the tag `seen`, but fails until it is fixed. */
async function build(t: Test) {
  let isBroken = true
  const tagger: Processor = {
    name: 'tagger',
    on: ['upload'],
    async handle({ asset }, { cloudinary }) {
      if (isBroken) throw new PermanentError('the tag machine is broken')
      await cloudinary.addTag(asset!, 'seen')
      return 'tagged'
    }
  }
  const counter: Processor = { name: 'counter', on: ['upload'], handle: () => 'counted' }
  const system = await buildListener(t, [tagger, counter])
  return {
    ...system,
    upload: () => system.cloudinary.as().upload({ publicId: 'asset-0', resourceType: 'image' }),
    breakProcessor: () => {
      isBroken = true
    },
    fixProcessor: () => {
      isBroken = false
    },
    letters: () => system.sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)!.messages.ready
  }
}

const ofProcessor = ({ lines }: Pick<ListenerUnderTest, 'lines'>, processor: string) =>
  lines.filter((line) => line.msg === 'event processed' && line.processor === processor)

t.test('redrives dead letters after a fix, and replays events', async (t) => {
  const system = await build(t)
  const { cloudinary, upload, atRest, letters, fixProcessor, breakProcessor } = system
  const tags = () => cloudinary.calls.filter(({ action }) => action === 'tags').length

  await t.test('doctor finds no fault, except what dynalite does not support', async (t) => {
    const { exitCode, output } = await runHere('doctor')
    t.equal(exitCode, 0)
    t.strictSame(
      output.map((line) => line.split(/ {2,}/).slice(0, 2)),
      [
        ['ok', 'configuration'],
        ['ok', 'credentials'],
        ['ok', 'processors'],
        ['ok', 'queue'],
        ['ok', 'dead letters'],
        // dynalite has no time to live
        ['warning', 'table'],
        ['ok', 'Cloudinary'],
        ['ok', 'triggers'],
        ['ok', 'metadata'],
        ['ok', 'clock'],
        ['0 faults, 1 warning.']
      ]
    )
  })

  await t.test('doctor reports each fault with its subject, and no secret', async (t) => {
    const wrongSecret = cloudinary
      .cloud()
      .cloudinaryUrl(cloudinary.url)
      .replace(LOCAL_CLOUDINARY.apiSecret, 'not-the-secret')
    const faulty: [Record<string, string>, RegExp][] = [
      [{ JOURNAL_TABLE: 'nowhere' }, /^fault +table .*JOURNAL_TABLE/],
      [{ CLOUDINARY_URL: wrongSecret }, /^fault +Cloudinary .* 401 /],
      [{ QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo' }, /^fault +queue .*ECONNREFUSED/],
      [{ WORKER_CONCURRENCY: 'many' }, /^fault +configuration .*WORKER_CONCURRENCY/],
      [{ LISTENER_CONFIG: './nowhere.ts' }, /^fault +processors .*nowhere\.ts/]
    ]
    for (const [changes, line] of faulty) {
      const { exitCode, output } = await withEnvironment(changes, () => runHere('doctor'))
      t.equal(exitCode, 1)
      t.match(
        output.filter((each) => each.startsWith('fault')),
        [line]
      )
      t.notMatch(output.join('\n'), 'not-the-secret')
    }
  })

  upload()
  await atRest()
  t.match(letters(), [
    {
      messageAttributes: {
        code: { StringValue: 'PERMANENT' },
        processor: { StringValue: 'tagger' },
        message: { StringValue: 'the tag machine is broken' }
      }
    }
  ])
  const { id } = JSON.parse(letters()[0]!.body)

  await t.test('doctor warns about dead letters', async (t) => {
    const { exitCode, output } = await runHere('doctor')
    t.equal(exitCode, 0)
    t.match(
      output.find((line) => /^warning +dead letters/.test(line)),
      /\b1 .*redrive/
    )
  })

  await t.test('a redrive before the fix writes a dead letter again', async (t) => {
    const { exitCode, output } = await runHere('redrive')
    t.equal(exitCode, 0)
    t.match(
      output[0],
      /^moved +[0-9a-f]{32} {2}upload {2}asset-0 .* tagger {2}PERMANENT: the tag machine is broken$/
    )
    await atRest()
    t.equal(letters().length, 1)
    t.equal(tags(), 0)
  })

  await t.test('a dry run moves nothing', async (t) => {
    const { exitCode, output } = await runHere('redrive', '--dry-run', '--id', id)
    t.equal(exitCode, 0)
    t.match(output, [/^would move {2}/, /^Would move 1 event \(1 letter\); nothing was moved/])
    t.equal(letters().length, 1)
  })

  await t.test('a redrive after the fix runs only the failed processor', async (t) => {
    fixProcessor()
    const { exitCode, output } = await runHere('redrive', '--type', 'upload')
    t.equal(exitCode, 0)
    t.match(output, [/^moved/, /^Moved 1 event \(1 letter\) as run [0-9a-f]{8}. Left: none.$/])
    await atRest()
    t.equal(letters().length, 0)
    t.equal(tags(), 1)
    t.strictSame(cloudinary.assets.find('asset-0')?.tags, ['seen'])
    t.equal(ofProcessor(system, 'counter').length, 1)
  })

  await t.test('each replay runs every processor once more', async (t) => {
    for (const times of [1, 2]) {
      const { exitCode, output } = await runHere('replay', id)
      t.equal(exitCode, 0)
      t.match(output[0], new RegExp(`^${id} {2}upload {2}asset-0 .* done after 1 attempt$`))
      t.match(output.join('\n'), /tagger +succeeded .* tagged/)
      await atRest()
      t.equal(tags(), 1 + times)
      t.equal(ofProcessor(system, 'counter').length, 1 + times)
    }
  })

  await t.test('replay reports an unknown id and replays the others', async (t) => {
    const { exitCode, output } = await runHere('replay', 'nonsense', id)
    t.equal(exitCode, 1)
    t.match(output[0], /^nonsense {2}not replayed: the journal does not know it/)
    await atRest()
    t.equal(tags(), 4)
  })

  await t.test('a failed replay is dead-lettered and can be redriven', async (t) => {
    breakProcessor()
    await runHere('replay', id)
    await atRest()
    t.equal(letters().length, 1)
    fixProcessor()
    t.equal((await runHere('redrive')).exitCode, 0)
    await atRest()
    t.equal(letters().length, 0)
    t.equal(tags(), 5)
    t.equal(ofProcessor(system, 'counter').length, 5, 'the replay ran it, the redrive did not')
  })
})
