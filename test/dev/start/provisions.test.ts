import t from 'tap'
import type { ProcessorSummary } from '../../../dev/start/inspect-config.ts'
import { PROVIDERS, type Provider, provide, type Situation } from '../../../dev/start/provisions.ts'

const processor = (
  name: string,
  requires: string[] = [],
  examples: ProcessorSummary['examples'] = {}
): ProcessorSummary => ({ name, requires, examples })

/** Providers of two parts, and what was done with them. */
function build({ broken }: { broken?: string } = {}) {
  const done: string[] = []
  const provider =
    (part: string): Provider =>
    async ({ processors }) => {
      if (part === broken) throw new Error(`${part} does not start`)
      done.push(`start ${part} for ${processors.map(({ name }) => name).join(' and ')}`)
      return {
        environment: { [part]: 'here' },
        hints: [`look into ${part}`],
        // some have nothing to bring up to date
        ...(part === 'DATABASE_URL' && { refresh: async () => void done.push(`refresh ${part}`) }),
        stop: async () => void done.push(`stop ${part}`)
      }
    }
  const providers = {
    DATABASE_URL: provider('DATABASE_URL'),
    NOTIFY_TOPIC_ARN: provider('NOTIFY_TOPIC_ARN')
  }
  return {
    done,
    run: (processors: ProcessorSummary[], environment: Situation['environment'] = {}) =>
      provide(
        { processors, environment, standIns: {} as Situation['standIns'], migrate: async () => {} },
        providers
      )
  }
}

t.test('what no processor requires is not started', async (t) => {
  const { done, run } = build()
  const { environment, hints, stop } = await run([processor('plain'), processor('jobs', ['WEBHOOK_URL'])])
  await stop()
  t.strictSame([done, environment, hints], [[], {}, []])
})

t.test('what the environment has is not started; an empty variable is none', async (t) => {
  const { done, run } = build()
  const both = [processor('both', ['DATABASE_URL', 'NOTIFY_TOPIC_ARN'])]
  await run(both, { DATABASE_URL: 'postgres://mine', NOTIFY_TOPIC_ARN: '' })
  t.strictSame(done, ['start NOTIFY_TOPIC_ARN for both'])
})

t.test('a part is started once for all that require it, and stopped last of first', async (t) => {
  const { done, run } = build()
  const { environment, hints, refresh, stop } = await run([
    processor('rows', ['DATABASE_URL']),
    processor('plain'),
    processor('both', ['NOTIFY_TOPIC_ARN', 'DATABASE_URL'])
  ])
  t.strictSame(environment, { DATABASE_URL: 'here', NOTIFY_TOPIC_ARN: 'here' })
  t.strictSame(hints, ['look into DATABASE_URL', 'look into NOTIFY_TOPIC_ARN'])
  await refresh?.()
  await stop()
  t.strictSame(done, [
    'start DATABASE_URL for rows and both',
    'start NOTIFY_TOPIC_ARN for both',
    'refresh DATABASE_URL',
    'stop NOTIFY_TOPIC_ARN',
    'stop DATABASE_URL'
  ])
})

t.test('when one does not start, those before it are stopped', async (t) => {
  const { done, run } = build({ broken: 'NOTIFY_TOPIC_ARN' })
  await t.rejects(run([processor('both', ['DATABASE_URL', 'NOTIFY_TOPIC_ARN'])]), {
    message: 'NOTIFY_TOPIC_ARN does not start'
  })
  t.strictSame(done, ['start DATABASE_URL for both', 'stop DATABASE_URL'])
})

t.test('a variable of its own that is not set has the value of its example, and it is said', async (t) => {
  const { run } = build()
  const cms = processor('cms', ['CMS_URL', 'CMS_TOKEN'], { CMS_URL: 'http://cms', CMS_TOKEN: 'any' })
  const { environment, hints, stop } = await run([cms], { CMS_TOKEN: 'mine' })
  t.strictSame(environment, { CMS_URL: 'http://cms' })
  t.match(hints, [/CMS_URL is not set/])
  await stop()
})

t.test('a database can be provided', async (t) => {
  t.equal(typeof PROVIDERS.DATABASE_URL, 'function')
})
