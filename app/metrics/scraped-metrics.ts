import { type Config, ConfigError } from '../config.ts'
import type { RoleMetrics } from './metrics.ts'

/**
 * Serves the metrics of a role on METRICS_PORT. If METRICS_PORT is not set, returns undefined and does not
 * load the library.
 *
 * @throws {ConfigError} if METRICS_PORT is the port of the webhook, which is public
 * @throws {ListenerError} METRICS_PORT_UNAVAILABLE
 */
export async function createScrapedMetrics(
  role: string,
  { METRICS_PORT: port, PORT, HOST: host }: Pick<Config, 'METRICS_PORT' | 'PORT' | 'HOST'>
): Promise<RoleMetrics | undefined> {
  if (port === undefined) return undefined
  if (port === PORT) {
    throw new ConfigError([`METRICS_PORT is ${port}; it must be another port than PORT, which is public`])
  }
  const { PrometheusMetrics } = await import('./prometheus-metrics.ts')
  const metrics = new PrometheusMetrics({ role, port, host })
  await metrics.listen()
  return metrics
}
