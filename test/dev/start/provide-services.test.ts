import t from 'tap'
import type { ProcessorSummary } from '../../../dev/start/inspect-config.ts'
import { PROVIDERS, provideServices } from '../../../dev/start/provide-services.ts'
import type { ProviderContext, ServiceProvider } from '../../../dev/start/provided-service.ts'

const processor = (
  name: string,
  requires: string[] = [],
  examples: ProcessorSummary['examples'] = {}
): ProcessorSummary => ({ name, requires, examples })

const standIns = { cloudinary: { url: 'http://127.0.0.1:7' } } as ProviderContext['standIns']

/** Two fake providers, and a record of their calls. */
function build({ broken }: { broken?: string } = {}) {
  const done: string[] = []
  const provider =
    (part: string): ServiceProvider =>
    async ({ processors }) => {
      if (part === broken) throw new Error(`${part} does not start`)
      done.push(`start ${part} for ${processors.map(({ name }) => name).join(' and ')}`)
      return {
        environment: { [part]: 'here' },
        hints: [`look into ${part}`],
        // optional
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
    run: (processors: ProcessorSummary[], environment: ProviderContext['environment'] = {}) =>
      provideServices(
        { processors, environment, own: environment, standIns, migrate: async () => {} },
        providers
      )
  }
}

t.test('starts nothing that no processor requires', async (t) => {
  const { done, run } = build()
  const { environment, hints, stop } = await run([processor('plain'), processor('jobs', ['WEBHOOK_URL'])])
  await stop()
  t.strictSame([done, environment, hints], [[], {}, []])
})

t.test('starts nothing that the environment has; an empty variable counts as unset', async (t) => {
  const { done, run } = build()
  const both = [processor('both', ['DATABASE_URL', 'NOTIFY_TOPIC_ARN'])]
  await run(both, { DATABASE_URL: 'postgres://mine', NOTIFY_TOPIC_ARN: '' })
  t.strictSame(done, ['start NOTIFY_TOPIC_ARN for both'])
})

t.test('starts a service once for all processors that require it, and stops in reverse order', async (t) => {
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

t.test('stops the services started before one that fails', async (t) => {
  const { done, run } = build({ broken: 'NOTIFY_TOPIC_ARN' })
  await t.rejects(run([processor('both', ['DATABASE_URL', 'NOTIFY_TOPIC_ARN'])]), {
    message: 'NOTIFY_TOPIC_ARN does not start'
  })
  t.strictSame(done, ['start DATABASE_URL for both', 'stop DATABASE_URL'])
})

t.test('sets unset variables of processors to their examples, and reports it', async (t) => {
  const { run } = build()
  const cms = processor('cms', ['CMS_URL', 'CMS_TOKEN'], { CMS_URL: 'http://cms', CMS_TOKEN: 'any' })
  const { environment, hints, stop } = await run([cms], { CMS_TOKEN: 'mine' })
  t.strictSame(environment, { CMS_URL: 'http://cms', CMS_TOKEN: 'mine' })
  t.match(hints, [/ cms .*own CMS_TOKEN/, / cms .*example of CMS_URL/])
  t.equal(hints.length, 2)
  await stop()
})

t.test('prefers a service to the example of its variable', async (t) => {
  const { run } = build()
  const rows = processor('rows', ['DATABASE_URL'], { DATABASE_URL: 'an example' })
  const { environment, hints } = await run([rows])
  t.strictSame([environment, hints], [{ DATABASE_URL: 'here' }, ['look into DATABASE_URL']])
})

t.test('sets a variable of any name to the stand-in that is its example, at its address', async (t) => {
  const { run } = build()
  const example = 'http://127.0.0.1:4000/_standin/'
  const chat = processor('news', ['MY_SLACK_URL'], { MY_SLACK_URL: `${example}chat` })
  const cms = processor('cms', ['CMS_URL'], { CMS_URL: `${example}sanity` })
  const { environment, hints } = await run([chat, chat, cms])
  t.strictSame(environment, {
    MY_SLACK_URL: 'http://127.0.0.1:7/_standin/chat',
    CMS_URL: 'http://127.0.0.1:7/_standin/sanity'
  })
  t.match(hints, [
    / news .* posts to a stand-in.*MY_SLACK_URL.*; see the messages: http:\/\/127\.0\.0\.1:7\/_standin\/chat$/,
    / cms .* calls a stand-in.*CMS_URL.*: http:\/\/127\.0\.0\.1:7\/_standin\/sanity$/
  ])
  t.equal(hints.length, 2)

  const own = await run([chat], { MY_SLACK_URL: 'https://hooks.slack.com/secret' })
  t.strictSame(own.environment, { MY_SLACK_URL: 'https://hooks.slack.com/secret' })
  t.match(own.hints, [/ news .* posts to your own MY_SLACK_URL/])
  t.notMatch(own.hints.join(), 'secret', 'the URL is a secret')
})

t.test("returns the user's variables that have no replacement, without a hint", async (t) => {
  const { run } = build()
  const { environment, hints } = await run([processor('mine', ['MY_TOKEN'])], { MY_TOKEN: 'a', OTHER: 'b' })
  t.strictSame([environment, hints], [{ MY_TOKEN: 'a' }, []])
})

t.test('provides a database', async (t) => {
  t.equal(typeof PROVIDERS.DATABASE_URL, 'function')
})
