import type { StandIns } from '../stand-ins.ts'
import type { ProcessorSummary } from './inspect-config.ts'

/** An embedded service, started because processors require it and the environment has none. */
export interface ProvidedService {
  /** Variables by which the roles find the service. */
  environment: Readonly<Record<string, string>>
  /** Lines for the user: the service, and how to look into it. */
  hints: readonly string[]
  /** Updates the service for processors that have changed. */
  refresh?: () => Promise<void>
  stop: () => Promise<void>
}

export interface ProviderContext {
  processors: readonly ProcessorSummary[]
  /** Environment of the roles. */
  environment: Readonly<Record<string, string | undefined>>
  /** The part of it that is the user's own. */
  own: Readonly<Record<string, string | undefined>>
  /** Some services are part of the stand-ins. */
  standIns: StandIns
  /**
   * Runs the command `migrate` with these variables added to the environment of the roles.
   *
   * @throws {Error} with the output of the command
   */
  migrate: (environment: Readonly<Record<string, string>>) => Promise<void>
}

/** Starts a service for the processors in the context, all of which require it. */
export type ServiceProvider = (context: ProviderContext) => Promise<ProvidedService>

/** Combines several services into one, which stops the last one first. */
export function combine(
  services: readonly ProvidedService[]
): ProvidedService & Required<Pick<ProvidedService, 'refresh'>> {
  return {
    environment: Object.assign({}, ...services.map(({ environment }) => environment)),
    hints: services.flatMap(({ hints }) => hints),
    async refresh() {
      for (const service of services) await service.refresh?.()
    },
    async stop() {
      for (const service of services.toReversed()) await service.stop()
    }
  }
}
