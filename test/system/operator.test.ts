import { rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { DEAD_LETTER_QUEUE_NAME } from '../../dev/sqs.ts'
import { buildCommands } from '../support/commands.ts'
import { buildSystem, type SystemUnderTest } from '../support/system.ts'

// many processes, one after the other, on a machine that may be busy
t.setTimeout(180_000)

/** A system whose processor adds the tag `seen`, and cannot while a file is there. */
async function build(t: Test) {
  const directory = t.testdir({
    broken: '',
    'listener.config.ts': `
      import { existsSync } from 'node:fs'
      import { defineListener, PermanentError } from '${process.cwd()}/app/listener.ts'
      export default defineListener({
        processors: [
          {
            name: 'tagger',
            on: ['upload'],
            async handle ({ asset }, { cloudinary }) {
              if (existsSync('${t.testdirName}/broken')) throw new PermanentError('the tag machine is broken')
              await cloudinary.addTag(asset, 'seen')
              return 'tagged'
            }
          },
          { name: 'counter', on: ['upload'], handle: () => 'counted' }
        ]
      })`
  })
  const environment = { LISTENER_CONFIG: `${directory}/listener.config.ts` }
  const system = await buildSystem(t, { environment })
  return {
    ...system,
    breakProcessor: () => writeFileSync(`${directory}/broken`, ''),
    mendProcessor: () => rmSync(`${directory}/broken`),
    letters: () => system.sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)!.messages.ready,
    command: buildCommands(t, system, environment)
  }
}

const ofProcessor = ({ lines }: Pick<SystemUnderTest, 'lines'>, processor: string) =>
  lines.filter((line) => line.msg === 'event processed' && line.processor === processor)

t.test('a dead letter is redriven once its cause is mended, and an event is replayed', async (t) => {
  const system = await build(t)
  const { cloudinary, upload, atRest, command, letters, mendProcessor, breakProcessor } = system
  const tags = () => cloudinary.calls.filter(({ action }) => action === 'tags').length

  upload(1)
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

  await t.test('doctor says that there are dead letters', async (t) => {
    const { exitCode, output } = await command(['doctor'])
    t.equal(exitCode, 0)
    t.match(
      output.find((line) => /^warn +dead letters/.test(line)),
      /about 1 letter; .*redrive/
    )
  })

  await t.test('a redrive before it is mended dies again, and nothing is lost', async (t) => {
    const { exitCode, output } = await command(['redrive'])
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
    const { exitCode, output } = await command(['redrive', '--dry-run', '--id', id])
    t.equal(exitCode, 0)
    t.match(output, [/^would move {2}/, /^Would move 1 event \(1 letter\); nothing was moved/])
    t.equal(letters().length, 1)
  })

  await t.test('once it is mended, what was dead is done, and what was done is not done again', async (t) => {
    mendProcessor()
    const { exitCode, output } = await command(['redrive', '--type', 'upload'])
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
      const { exitCode, output } = await command(['replay', id])
      t.equal(exitCode, 0)
      t.match(output[0], new RegExp(`^${id} {2}upload {2}asset-0 .* done after 1 attempt$`))
      t.match(output.join('\n'), /tagger +succeeded .* tagged/)
      await atRest()
      t.equal(tags(), 1 + times)
      t.equal(ofProcessor(system, 'counter').length, 1 + times)
    }
  })

  await t.test('an id that nobody knows is said to be unknown, and the others are replayed', async (t) => {
    const { exitCode, output } = await command(['replay', 'nonsense', id])
    t.equal(exitCode, 1)
    t.match(output[0], /^nonsense {2}not replayed: the journal does not know it/)
    await atRest()
    t.equal(tags(), 4)
  })

  await t.test('a replay that dies is put aside, and can be redriven', async (t) => {
    breakProcessor()
    await command(['replay', id])
    await atRest()
    t.equal(letters().length, 1)
    mendProcessor()
    t.equal((await command(['redrive'])).exitCode, 0)
    await atRest()
    t.equal(letters().length, 0)
    t.equal(tags(), 5)
    t.equal(ofProcessor(system, 'counter').length, 5, 'the replay ran it, the redrive did not')
  })
})
