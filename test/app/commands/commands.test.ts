import t, { type Test } from 'tap'
import { PermanentError, type Processor } from '../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/sqs.ts'
import { runHere, withEnvironment } from '../../support/commands.ts'
import { buildListener, type ListenerUnderTest } from '../../support/listener.ts'

/** A listener with a processor that adds the tag `seen`, and fails until it is repaired. */
async function build(t: Test) {
  let isBroken = true
  const tagger: Processor = {
    name: 'tagger',
    on: ['upload'],
    async handle({ asset }, { cloudinary }) {
      if (isBroken) throw new PermanentError('tagging failed')
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
    repairProcessor: () => {
      isBroken = false
    },
    deadLetters: () => system.sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)!.messages.ready
  }
}

const ofProcessor = ({ lines }: Pick<ListenerUnderTest, 'lines'>, processor: string) =>
  lines.filter((line) => line.msg === 'event processed' && line.processor === processor)

t.test('runs doctor, redrive and replay on a listener', async (t) => {
  const system = await build(t)
  const { cloudinary, upload, atRest, deadLetters, repairProcessor, breakProcessor } = system
  const tags = () => cloudinary.calls.filter(({ action }) => action === 'tags').length

  await t.test('doctor prints a line for each check', async (t) => {
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

  await t.test('doctor reports each fault, and prints no secret', async (t) => {
    const wrongSecret = cloudinary
      .cloud()
      .cloudinaryUrl(cloudinary.url)
      .replace(LOCAL_CLOUDINARY.apiSecret, 'not-the-secret')
    const faulty: [Record<string, string>, RegExp][] = [
      [{ JOURNAL_TABLE: 'nowhere' }, /^fault {4}table .*correct JOURNAL_TABLE \(now nowhere\)/],
      [{ CLOUDINARY_URL: wrongSecret }, /^fault {4}Cloudinary .*demo: ping: 401 .*check the secret/],
      [{ QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo' }, /^fault {4}queue .*cannot connect \(ECONNREFUSED\)/],
      [{ CLOUDINARY_URL: 'nonsense' }, /^fault {4}configuration .*CLOUDINARY_URL/],
      [{ WORKER_CONCURRENCY: 'many' }, /^fault {4}configuration .*WORKER_CONCURRENCY is "many"/],
      [{ LISTENER_CONFIG: './nowhere.ts' }, /^fault {4}processors .*nowhere\.ts: no such file/]
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
  t.match(deadLetters(), [
    {
      messageAttributes: {
        code: { StringValue: 'PERMANENT' },
        processor: { StringValue: 'tagger' },
        message: { StringValue: 'tagging failed' }
      }
    }
  ])
  const { id } = JSON.parse(deadLetters()[0]!.body)

  await t.test('doctor warns of dead letters', async (t) => {
    const { exitCode, output } = await runHere('doctor')
    t.equal(exitCode, 0)
    t.match(
      output.find((line) => /^warning +dead letters/.test(line)),
      /about 1 dead letter, the oldest seen is 0 minutes old; .*redrive/
    )
  })

  await t.test('redrive loses nothing if the event fails again', async (t) => {
    const { exitCode, output } = await runHere('redrive')
    t.equal(exitCode, 0)
    t.match(output[0], /^moved +[0-9a-f]{32} {2}upload {2}asset-0 .* tagger {2}PERMANENT: tagging failed$/)
    await atRest()
    t.equal(deadLetters().length, 1)
    t.equal(tags(), 0)
  })

  await t.test('redrive moves nothing in a dry run', async (t) => {
    const { exitCode, output } = await runHere('redrive', '--dry-run', '--id', id)
    t.equal(exitCode, 0)
    t.match(output, [/^would move /, /^Would move 1 event \(1 dead letter\); nothing was moved/])
    t.equal(deadLetters().length, 1)
  })

  await t.test('redrive runs only the processor that failed', async (t) => {
    repairProcessor()
    const { exitCode, output } = await runHere('redrive', '--type', 'upload')
    t.equal(exitCode, 0)
    t.match(output, [/^moved/, /^Moved 1 event \(1 dead letter\) as run [0-9a-f]{8}. Left: none.$/])
    await atRest()
    t.equal(deadLetters().length, 0)
    t.equal(tags(), 1)
    t.strictSame(cloudinary.assets.find('asset-0')?.tags, ['seen'])
    t.equal(ofProcessor(system, 'counter').length, 1)
  })

  await t.test('replay runs every processor once more', async (t) => {
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

  await t.test('replay reports an unknown ID, and replays the others', async (t) => {
    const { exitCode, output } = await runHere('replay', 'nonsense', id)
    t.equal(exitCode, 1)
    t.match(output[0], /^nonsense {2}not replayed: /)
    await atRest()
    t.equal(tags(), 4)
  })

  await t.test('redrive continues a replay that failed', async (t) => {
    breakProcessor()
    await runHere('replay', id)
    await atRest()
    t.equal(deadLetters().length, 1)
    repairProcessor()
    t.equal((await runHere('redrive')).exitCode, 0)
    await atRest()
    t.equal(deadLetters().length, 0)
    t.equal(tags(), 5)
    t.equal(ofProcessor(system, 'counter').length, 5, 'the redrive did not run it again')
  })

  await t.test('the other commands run on its environment', async (t) => {
    const hour = new Date(Date.now() - 3_600_000).toISOString()
    t.match(await runHere('migrate', '--dry-run'), { exitCode: 0 })
    t.match(await runHere('setup'), { exitCode: 0 })
    t.match(await runHere('reconcile', '--since', hour, '--type', 'upload'), { exitCode: 0 })
    t.match(await runHere('changes', '--since', hour), { exitCode: 0 })
  })
})
