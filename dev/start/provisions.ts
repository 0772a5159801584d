import {
  provideBucket,
  provideChatWebhook,
  provideEventBus,
  provideForwardSecret,
  provideTopic
} from './provide-outbound.ts'
import { providePostgres } from './provide-postgres.ts'
import { combine, type Provider, type Provision, type ProvisionContext } from './provision.ts'

/** Services that can be embedded, by the variable that processors require. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  CHAT_WEBHOOK_URL: provideChatWebhook,
  DATABASE_URL: providePostgres,
  FORWARD_SECRET: provideForwardSecret,
  NOTIFY_TOPIC_ARN: provideTopic,
  ARCHIVE_BUCKET: provideBucket,
  EVENT_BUS: provideEventBus
}

/**
 * Starts only the services that processors require and the environment lacks. Sets the processors' own
 * variables to their examples.
 *
 * @throws the first error of a provider, after stopping the services started before it
 */
export async function provide(context: ProvisionContext, providers = PROVIDERS): Promise<Provision> {
  const started: Provision[] = []
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
  return combine([provided, provideExamples({ ...context, environment })])
}

function provideExamples({ processors, environment }: ProvisionContext): Provision {
  const examples = processors.flatMap((processor) => Object.entries(processor.examples))
  const unset = Object.fromEntries(examples.filter(([name]) => !environment[name]))
  const hints = Object.keys(unset).map((name) => `  ${name} is not set; using its example. Set it in .env`)
  return { environment: unset, hints, stop: async () => {} }
}
