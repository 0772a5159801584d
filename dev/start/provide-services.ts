import { provideBucket, provideEventBus, provideForwardSecret, provideTopic } from './provide-outbound.ts'
import { providePostgres } from './provide-postgres.ts'
import {
  combine,
  type ProvidedService,
  type ProviderContext,
  type ServiceProvider
} from './provided-service.ts'

/** Services that can be embedded, by the variable that processors require. */
export const PROVIDERS: Readonly<Record<string, ServiceProvider>> = {
  DATABASE_URL: providePostgres,
  FORWARD_SECRET: provideForwardSecret,
  NOTIFY_TOPIC_ARN: provideTopic,
  ARCHIVE_BUCKET: provideBucket,
  EVENT_BUS: provideEventBus
}

/** Stand-ins that are the example of a processor's own variable, as with `docker compose`. */
const STAND_INS = 'http://127.0.0.1:4000/_standin/'

/**
 * Starts only the services that processors require and the environment lacks. Sets the processors' own
 * variables to their examples. Returns the variables that the user has set, too.
 *
 * @throws the first error of a provider, after stopping the services started before it
 */
export async function provideServices(
  context: ProviderContext,
  providers = PROVIDERS
): Promise<ProvidedService> {
  const started: ProvidedService[] = []
  try {
    for (const [variable, start] of Object.entries(providers)) {
      const processors = context.processors.filter(({ requires }) => requires.includes(variable))
      if (processors.length === 0 || context.environment[variable]) continue
      started.push(await start({ ...context, processors }))
    }
  } catch (error) {
    await combine(started).stop()
    throw error
  }
  const provided = combine(started)
  const environment = { ...context.environment, ...provided.environment }
  return combine([provided, provideOwn(context, providers), provideExamples({ ...context, environment })])
}

/** Returns the variables of the user that processors require, with a hint where a stand-in could be used. */
function provideOwn({ processors, own }: ProviderContext, providers: typeof PROVIDERS): ProvidedService {
  const environment: Record<string, string> = {}
  const hints: string[] = []
  for (const { name: processor, requires, examples } of processors) {
    for (const variable of requires) {
      const value = own[variable]
      if (!value) continue
      environment[variable] = value
      const verb = isChat(examples[variable]) ? 'posts to' : 'uses'
      const isReplaced = variable in providers || variable in examples
      if (isReplaced) hints.push(hint(processor, `${verb} your own ${variable}`))
    }
  }
  return { environment, hints, stop: async () => {} }
}

function provideExamples({ processors, environment, standIns }: ProviderContext): ProvidedService {
  const provided: Record<string, string> = {}
  const hints: string[] = []
  for (const { name: processor, examples } of processors) {
    for (const [variable, example] of Object.entries(examples)) {
      if (environment[variable] || variable in provided) continue
      if (example.startsWith(STAND_INS)) {
        const url = `${standIns.cloudinary.url}/_standin/${example.slice(STAND_INS.length)}`
        provided[variable] = url
        hints.push(hint(processor, hintOfStandIn(variable, url)))
      } else {
        provided[variable] = example
        hints.push(hint(processor, `uses the example of ${variable}; set it in .env`))
      }
    }
  }
  return { environment: provided, hints, stop: async () => {} }
}

const hint = (processor: string, text: string) => `  ${processor.padEnd(11)} ${text}`

const isChat = (url: string | undefined): boolean => url?.endsWith('/_standin/chat') === true

const hintOfStandIn = (variable: string, url: string): string =>
  isChat(url)
    ? `posts to a stand-in, and to nobody else (${variable} is not set); see the messages: ${url}`
    : `calls a stand-in, and nobody else (${variable} is not set): ${url}`
