import { type Logger, SILENT } from '../logger.ts'
import type { ProcessTracing, Tracing, TracingConfig } from './tracing.ts'

/**
 * Creates the tracing of a process. Without an endpoint, returns undefined and does not load OpenTelemetry.
 *
 * @param role a role, or a command
 */
export async function createTracing(
  role: string,
  config: TracingConfig,
  log: Logger
): Promise<ProcessTracing | undefined> {
  const url = tracesUrl(config)
  if (url === undefined) return undefined
  const { startTracing } = await import('./start-tracing.ts')
  return startTracing(role, url, config, log)
}

/** Runs a command with tracing, and sends its spans before it ends. */
export async function withTracing<Result>(
  command: string,
  config: TracingConfig,
  run: (tracing: Tracing | undefined) => Promise<Result>
): Promise<Result> {
  const tracing = await createTracing(command, config, SILENT)
  try {
    return await run(tracing)
  } finally {
    await tracing?.stop()
  }
}

/**
 * Returns the URL that spans are sent to. The path is added only to the general endpoint.
 * Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp
 */
function tracesUrl(config: TracingConfig): string | undefined {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ofTraces, OTEL_EXPORTER_OTLP_ENDPOINT: general } = config
  return ofTraces ?? (general && `${general.replace(/\/$/, '')}/v1/traces`)
}
