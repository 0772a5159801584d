import { ListenerError } from '../errors.ts'
import { EVENT_TYPES, type EventType } from '../ingest/event.ts'
import type { Listener, ListenerOf, Processor, Requirement } from '../processor.ts'
import { problemOfSchedules } from '../schedules/listener-schedules.ts'
import { checkPackages } from './packages.ts'
import { problemOfRequirements } from './requirements.ts'

/** Below the maximum visibility timeout of SQS, 12 hours. */
const MAX_TIMEOUT_SECONDS = 36_000

const isText = (value: unknown) => typeof value === 'string'

const invalid = (message: string) => new ListenerError('LISTENER_CONFIG_INVALID', message)

/**
 * Validates and returns the listener configuration.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID, PACKAGE_MISSING
 */
export function defineListener<const Types extends readonly (EventType | '*')[]>(
  listener: ListenerOf<Types>
): Listener {
  if (!Array.isArray(listener?.processors)) throw invalid('defineListener needs `processors`, an array')
  const names = new Set<string>()
  for (const [index, processor] of listener.processors.entries()) {
    if (typeof processor?.name !== 'string' || !/^[\w.-]{1,64}$/.test(processor.name)) {
      throw invalid(`processor ${index} needs a name of 1 to 64 letters, digits, ".", "_" or "-"`)
    }
    const { name, on, when, timeoutSeconds, handle, packages } = processor
    if (names.has(name)) throw invalid(`two processors are named "${name}"; give each its own name`)
    names.add(name)
    if (!Array.isArray(on) || (on.length === 0 && processor.deadLettered === undefined))
      throw invalid(`processor "${name}" needs \`on\`, a list of event types`)
    for (const type of on) {
      if (type !== '*' && !EVENT_TYPES.includes(type)) {
        throw invalid(
          `processor "${name}" has the unknown event type "${type}"; use *, ${EVENT_TYPES.join(', ')}`
        )
      }
    }
    if (when !== undefined && typeof when !== 'function')
      throw invalid(`\`when\` of processor "${name}" is not a function`)
    if (
      timeoutSeconds !== undefined &&
      !(typeof timeoutSeconds === 'number' && timeoutSeconds > 0 && timeoutSeconds <= MAX_TIMEOUT_SECONDS)
    ) {
      throw invalid(`\`timeoutSeconds\` of processor "${name}" must be from 1 to ${MAX_TIMEOUT_SECONDS}`)
    }
    if (typeof handle !== 'function') throw invalid(`processor "${name}" needs a function \`handle\``)
    if (packages !== undefined && !(Array.isArray(packages) && packages.every(isText)))
      throw invalid(`\`packages\` of processor "${name}" is not a list of package names`)
    for (const hook of ['start', 'stop', 'migrate', 'check', 'deadLettered'] as const) {
      if (processor[hook] !== undefined && typeof processor[hook] !== 'function')
        throw invalid(`\`${hook}\` of processor "${name}" is not a function`)
    }
  }
  const problem = problemOfRequirements(listener.processors) ?? problemOfSchedules(listener)
  if (problem) throw invalid(problem)
  checkPackages(listener.processors)
  if (listener.logger !== undefined && typeof listener.logger?.child !== 'function') {
    throw invalid('`logger` must be a pino instance')
  }
  return listener
}

/** Returns the processor; types its events by `on`, and its `config` by the variables in `requires`. */
export const defineProcessor = <
  const Type extends EventType | '*',
  const Requires extends readonly Requirement[] = readonly []
>(
  processor: Processor<Type, Requires>
): Processor => processor as unknown as Processor
