import type { Config } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { Processor } from '../processor.ts'

/**
 * Starts those that have something to start, in the order listed.
 *
 * @throws what the first one throws that cannot start; those before it are stopped again
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

/** Stops them in reverse order. One that fails to keeps none of the others from it. */
export async function stopProcessors(processors: readonly Processor[], log: Logger): Promise<void> {
  for (const { name, stop } of processors.toReversed()) {
    try {
      await stop?.()
    } catch (err) {
      log.error({ err, processor: name }, 'processor not stopped')
    }
  }
}
