import type { VariableName } from '../../app/config.ts'
import type { StandIns } from '../stand-ins.ts'
import type { ProcessorSummary } from './inspect-config.ts'
import { provideForwardSecret, provideTopic } from './provide-outbound.ts'
import { providePostgres } from './provide-postgres.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Something embedded, started because processors require it and the environment has none. */
export interface Provision {
  /** What the roles must find in their environment to use it. */
  environment: Readonly<Record<string, string>>
  /** Lines for people to read: what it is, and how to look into it. */
  hints: readonly string[]
  /** Brings it up to date with processors that have changed. */
  refresh?: () => Promise<void>
  stop: () => Promise<void>
}

export interface Situation {
  processors: readonly ProcessorSummary[]
  /** What the roles are configured with. */
  environment: Environment
  /** Part of them may serve for it. */
  standIns: StandIns
  /**
   * Runs the command `migrate` with these variables beside those that the roles are configured with.
   *
   * @throws {Error} with what it printed
   */
  migrate: (environment: Readonly<Record<string, string>>) => Promise<void>
}

/** Starts it. The processors given are those that require it. */
export type Provider = (situation: Situation) => Promise<Provision>

/** What can be embedded, by the variable that processors require. */
export const PROVIDERS: Partial<Record<VariableName, Provider>> = {
  DATABASE_URL: providePostgres,
  FORWARD_SECRET: provideForwardSecret,
  NOTIFY_TOPIC_ARN: provideTopic
}

/**
 * Starts what processors require, the environment lacks and can be embedded, and nothing else. Variables of processors' own are
 * set to their examples.
 *
 * @returns all of it as one
 * @throws what the first one throws that cannot be started; those before it are stopped again
 */
export async function provide(situation: Situation, providers = PROVIDERS): Promise<Provision> {
  const started: Provision[] = []
  try {
    for (const [variable, start] of Object.entries(providers)) {
      const processors = situation.processors.filter(({ requires }) => requires.includes(variable))
      if (processors.length === 0 || situation.environment[variable]) continue
      started.push(await start({ ...situation, processors }))
    }
  } catch (error) {
    await together(started).stop()
    throw error
  }
  return together([...started, provideExamples(situation)])
}

/** What processors name as examples for variables of their own that are not set. */
function provideExamples({ processors, environment }: Situation): Provision {
  const examples = Object.fromEntries(
    processors
      .flatMap((processor) => Object.entries(processor.examples))
      .filter(([name]) => !environment[name])
  )
  const hints = Object.keys(examples).map(
    (name) => `  ${name} is not set: its example is used; set it in .env`
  )
  return { environment: examples, hints, stop: async () => {} }
}

/** Several provisions as one. The last one is stopped first. */
export function together(provisions: readonly Provision[]): Provision & Required<Pick<Provision, 'refresh'>> {
  return {
    environment: Object.assign({}, ...provisions.map(({ environment }) => environment)),
    hints: provisions.flatMap(({ hints }) => hints),
    async refresh() {
      for (const provision of provisions) await provision.refresh?.()
    },
    async stop() {
      for (const provision of provisions.toReversed()) await provision.stop()
    }
  }
}
