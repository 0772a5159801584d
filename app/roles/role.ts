import type { Config, VariableName } from '../config.ts'
import type { ActivityWriter } from '../journal/activity-writer.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { createScrapedMetrics } from '../metrics/scraped-metrics.ts'
import type { Listener } from '../processor.ts'
import { createTracing } from '../tracing/create-tracing.ts'
import type { Tracing } from '../tracing/tracing.ts'
import { createActivityOutput, createMetrics } from '../wiring.ts'

/** Stops a role. Finishes or releases the work in progress. */
export type Stop = () => Promise<void>

export interface RoleContext<Required extends VariableName = never> {
  /** The variables in `requires` are set. */
  config: Config & { [Name in Required]: NonNullable<Config[Name]> }
  listener: Listener
  log: Logger
  /** The metrics of the role, written while it runs. */
  metrics: Metrics
  /** Stores samples for the activity page; undefined without JOURNAL_TABLE. */
  activity: ActivityWriter | undefined
  /** The tracing of the role; undefined without an OpenTelemetry endpoint. */
  tracing?: Tracing | undefined
}

/** A process that runs until it is stopped. */
export interface Role {
  /** Variables that must be set. */
  requires: readonly VariableName[]
  /** Maximum duration of a stop, in milliseconds. Then the process exits. ECS allows 120 s. */
  stopWithinMs: number
  start: (context: RoleContext) => Promise<Stop>
}

/** Returns the role; types its `config` by the variables in `requires`. */
export const defineRole = <const Required extends VariableName>(
  role: Omit<Role, 'requires' | 'start'> & {
    requires: readonly Required[]
    start: (context: RoleContext<Required>) => Promise<Stop>
  }
): Role => role as unknown as Role

/**
 * Starts a role, its metrics and its tracing. `write` must write a line to standard output, in order with the
 * log.
 */
export async function startRole(
  name: string,
  role: Role,
  {
    write,
    ...context
  }: Omit<RoleContext, 'metrics' | 'activity' | 'tracing'> & { write: (line: string) => void }
): Promise<Stop> {
  const output = createActivityOutput(context.config)
  const activity = output?.writer
  const { config, log } = context
  const scraped = await createScrapedMetrics(name, config)
  const metrics = createMetrics(name, config, { log, write, writer: activity, scraped })
  const tracing = await createTracing(name, config, log)
  const stop = await role.start({ ...context, metrics, activity, tracing })
  metrics.start()
  return async () => {
    await stop()
    await Promise.all([metrics.stop(), tracing?.stop()])
    output?.close()
  }
}
