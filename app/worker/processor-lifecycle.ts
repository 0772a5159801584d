import type { Config } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { Processor } from '../processor.ts'

/**
 * Starts the processors in order.
 *
 * @throws the error of the first processor that fails to start, after stopping those that had started
 */
export async function startProcessors(
  processors: readonly Processor[],
  { config, log }: { config: Config; log: Logger }
): Promise<void> {
  const started: Processor[] = []
  for (const processor of processors) {
    try {
      await processor.start?.({ config, log: log.child({ processor: processor.name }) })
    } catch (error) {
      await stopProcessors(started, log)
      throw error
    }
    started.push(processor)
  }
}

/** Stops the processors in reverse order. Continues if one fails. */
export async function stopProcessors(processors: readonly Processor[], log: Logger): Promise<void> {
  for (const { name, stop } of processors.toReversed()) {
    try {
      await stop?.()
    } catch (err) {
      log.error({ err, processor: name }, 'processor stop failed')
    }
  }
}
