import type { SQSClient } from '@aws-sdk/client-sqs'
import t, { type Test } from 'tap'
import { type DoctorCheckOptions, doctorChecks } from '../../../../app/commands/doctor/doctor-checks.ts'
import type { Config } from '../../../../app/config.ts'
import type { Environments } from '../../../../app/credentials/environments.ts'
import { type Processor, schedule } from '../../../../app/listener.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { QUIET } from '../../../support/operator.ts'

const signal = new AbortController().signal

/** Runs all checks against a Cloudinary that answers. */
async function build(t: Test, processors: Processor[], options: Partial<DoctorCheckOptions> = {}) {
  const { clients, cloudinary } = await buildCloudinary(t)
  const sqs = { send: async () => ({ Attributes: {} }) } as unknown as SQSClient
  const environments = { cloudNames: () => ['demo'], verificationKeys: () => [] } as unknown as Environments
  const checks = doctorChecks({
    config: { LISTENER_CONFIG: './x.ts' },
    configErrors: [],
    region: undefined,
    sqs,
    dynamoDb: () => ({ send: async () => ({}) }) as never,
    environments: Promise.resolve(environments),
    connect: () => clients,
    load: async () => ({ processors }),
    log: QUIET,
    ...options
  })
  const found: { subject: string; level?: string; message?: string }[] = []
  for await (const { subject, run } of checks) {
    const findings = await run(signal).catch((error) => [{ level: 'thrown', message: error.message }])
    found.push(...(findings.length > 0 ? findings.map((one) => ({ subject, ...one })) : [{ subject }]))
  }
  return { cloudinary, found, subjects: found.map(({ subject }) => subject) }
}

const processor = (name: string, more: Partial<Processor> = {}): Processor => ({
  name,
  on: ['upload'],
  handle: () => {},
  ...more
})

t.test('runs the check of each processor whose required variables are set', async (t) => {
  const seen: unknown[] = []
  const { found } = await build(
    t,
    [
      processor('plain'),
      processor('own', {
        check: ({ config, signal: given, log }) => {
          seen.push(config.DATABASE_URL, given, typeof log.info)
          return [{ level: 'warning', message: 'look' }]
        }
      }),
      processor('broken', { check: async () => Promise.reject(new Error('no answer')) }),
      processor('unset', {
        requires: ['FORWARD_SECRET'],
        check: () => t.fail('its variable is not set') as never
      })
    ],
    { config: { LISTENER_CONFIG: './x.ts', DATABASE_URL: 'postgres://localhost/x' } }
  )
  t.strictSame(seen, ['postgres://localhost/x', signal, 'function'])
  t.match(
    found.filter(({ subject }) => ['plain', 'own', 'broken', 'unset'].includes(subject)),
    [
      { subject: 'own', level: 'warning', message: 'look' },
      { subject: 'broken', level: 'thrown', message: 'no answer' }
    ]
  )
})

t.test('checks triggers and metadata if Cloudinary answers', async (t) => {
  const { found, subjects } = await build(t, [processor('plain')])
  t.match(
    found.find(({ subject }) => subject === 'triggers'),
    { level: 'fault', message: /^demo: no trigger sends upload/ }
  )
  t.ok(subjects.includes('metadata'))
  const silent = await build(t, [processor('plain')], {
    environments: Promise.reject(new Error('no secret'))
  })
  t.notOk(silent.subjects.includes('triggers'), 'the credentials check reports why')
})

t.test('checks the schedules, if there are some and a journal', async (t) => {
  const sweep = processor('sweep', {
    on: ['scheduled_search'],
    schedules: [schedule({ name: 'unused', cron: '0 3 * * *', expression: 'tags=old' })]
  })
  const journal = {
    config: { LISTENER_CONFIG: './x.ts', JOURNAL_TABLE: 'journal' },
    region: 'us-east-1'
  }
  const { found } = await build(t, [sweep], journal)
  t.match(
    found.filter(({ subject }) => subject === 'schedules'),
    [{ level: 'warning', message: /^demo: unused: never ran/ }]
  )
  const none = await build(t, [processor('plain')], journal)
  t.notOk(none.subjects.includes('schedules'))
  const noJournal = await build(t, [sweep], { region: 'us-east-1' })
  t.notOk(noJournal.subjects.includes('schedules'))
})

t.test('leaves out checks that are impossible', async (t) => {
  const load = async () => Promise.reject(new Error('syntax'))
  const config: Partial<Config> = {
    LISTENER_CONFIG: './x.ts',
    QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo',
    DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/0/d.fifo',
    JOURNAL_TABLE: 'journal'
  }
  const names = async (options: Partial<DoctorCheckOptions>) => {
    const { subjects } = await build(t, [], options)
    return [...new Set(subjects)]
  }
  const onlyRest = { load, environments: undefined, config: {} }
  t.strictSame(await names(onlyRest), ['configuration', 'clock'])
  t.strictSame(await names({ ...onlyRest, config }), ['configuration', 'processors', 'clock'])
  t.strictSame(
    await names({ ...onlyRest, config: { ...config, QUEUE_URL: undefined }, region: 'eu-west-1' }),
    ['configuration', 'processors', 'dead letters', 'table', 'clock']
  )
  t.ok((await names({ load, config, region: 'eu-west-1' })).includes('queue'))
})
