import t from 'tap'
import { LOCAL_CLOUDINARY } from '../../dev/defaults.ts'
import { startStandIns } from '../../dev/stand-ins.ts'
import { buildCommands } from '../support/commands.ts'

t.test('doctor checks everything', async (t) => {
  const standIns = await startStandIns()
  t.teardown(() => standIns.stop())
  const command = buildCommands(t, standIns)

  const { exitCode, output } = await command(['doctor'])
  t.equal(exitCode, 0)
  t.strictSame(
    output.map((line) => line.split(/ {2,}/).slice(0, 2)),
    [
      ['ok', 'configuration'],
      ['ok', 'credentials'],
      ['ok', 'processors'],
      ['ok', 'queue'],
      ['ok', 'dead letters'],
      // dynalite knows no time to live
      ['warn', 'table'],
      ['ok', 'Cloudinary'],
      ['ok', 'clock'],
      ['0 faults, 1 warning.']
    ]
  )

  const wrongSecret = standIns.cloudinary
    .cloud()
    .cloudinaryUrl(standIns.cloudinary.url)
    .replace(LOCAL_CLOUDINARY.apiSecret, 'not-the-secret')
  const faulty: [Record<string, string>, RegExp][] = [
    [{ JOURNAL_TABLE: 'nowhere' }, /^fault {2}table .*correct JOURNAL_TABLE \(now nowhere\)/],
    [{ CLOUDINARY_URL: wrongSecret }, /^fault {2}Cloudinary .*demo: ping: 401 .*check the secret/],
    [{ QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo' }, /^fault {2}queue .*cannot connect \(ECONNREFUSED\)/],
    [{ WORKER_CONCURRENCY: 'many' }, /^fault {2}configuration .*WORKER_CONCURRENCY is "many"/],
    [{ LISTENER_CONFIG: './nowhere.ts' }, /^fault {2}processors .*nowhere\.ts cannot be loaded/]
  ]
  await Promise.all(
    faulty.map(async ([changes, line]) => {
      const { exitCode, output } = await command(['doctor'], changes)
      t.equal(exitCode, 1)
      t.match(
        output.filter((each) => each.startsWith('fault')),
        [line]
      )
      t.notMatch(output.join('\n'), 'not-the-secret')
    })
  )
})
