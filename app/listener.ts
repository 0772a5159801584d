import type { CloudinaryClient } from './cloudinary/client.ts'
import { type AssetEvent, EVENT_TYPES, type EventType } from './cloudinary/event.ts'
import type { Config } from './config.ts'
import { ListenerError } from './errors.ts'
import type { State } from './journal/state.ts'
import type { Logger } from './logger.ts'
import { type ConfigFor, problemOfRequirements, type Requirement } from './requirements.ts'

export type { Change, ChangesOptions } from './changes/changes.ts'
export { changes } from './changes/changes.ts'
export type { AssetState, CallOptions, CloudinaryClient } from './cloudinary/client.ts'
export type { Asset, AssetEvent, EventType, Origin } from './cloudinary/event.ts'
export { CloudinaryError } from './cloudinary/fault.ts'
export { connect } from './connect.ts'
export { PermanentError, RetryLaterError } from './errors.ts'
export type { State } from './journal/state.ts'
export { csvBulk } from './processors/csv-bulk/csv-bulk.ts'
export { databaseSync } from './processors/database-sync/database-sync.ts'
export { forward } from './processors/forward/forward.ts'
export { helloWorldTag } from './processors/hello-world-tag.ts'
export { lastUpdateTimestamp } from './processors/last-update-timestamp.ts'
export { notify } from './processors/notify/notify.ts'
export { videoPreprocess } from './processors/video-preprocess/video-preprocess.ts'
export type { OwnVariable, Requirement } from './requirements.ts'

/** What a processor is given beside the event. */
export interface ProcessorContext<KnownConfig = Config> {
  /** The environment, validated, with the variables that the processor requires. */
  config: KnownConfig
  /** Calls to the Cloudinary environment that the event came from. */
  cloudinary: CloudinaryClient
  /** Writes lines that carry the event's id, type, asset and trace id. */
  log: Logger
  /** Aborts when the time is up or the worker stops: pass it on to whatever you wait for. */
  signal: AbortSignal
  /** What the processor remembers from one event to another, for 30 days; no other processor sees it. */
  state: State
}

/** What a processor is given before the first event. */
export interface StartContext<KnownConfig = Config> {
  /** The environment, validated, with the variables that the processor requires. */
  config: KnownConfig
  log: Logger
}

/** What a processor is given when the command `migrate` runs. */
export interface MigrateContext<KnownConfig = Config> extends StartContext<KnownConfig> {
  /** Writes one line for people to read: what was done. */
  print: (line: string) => void
  /** Do nothing, and print what would be done. */
  dryRun: boolean
}

/** What a processor is given when the command `doctor` runs its check. */
export interface CheckContext<KnownConfig = Config> extends StartContext<KnownConfig> {
  /** Aborts after 5 s, when the time for the check is up. */
  signal: AbortSignal
}

/** What a check has found. The message of a warning or a fault says what to do as well. */
export interface Finding {
  level: 'ok' | 'warning' | 'fault'
  message: string
}

/** A structured metadata field of Cloudinary, as the Admin API names its parts. */
export interface MetadataFieldDefinition {
  external_id: string
  label: string
  type: 'string' | 'integer'
}

/** Your code, and what it wants to see. */
export interface Processor<Requires extends readonly Requirement[] = readonly Requirement[]> {
  /** Unique in the listener; what was done for an event is remembered under this name. */
  name: string
  /** The types it is run for; `*` is all of them, `unknown` included. */
  on: readonly (EventType | '*')[]
  /** Skips events for which it is false. */
  when?: (event: AssetEvent) => boolean
  /** How long `handle` may take, in seconds; then its `signal` aborts and it is tried again. Default 300. */
  timeoutSeconds?: number
  /** Run it for changes made with the listener's own API key as well. `eager` results always pass. */
  ownChanges?: boolean
  /**
   * Does the work. May return a note on what was done. A throw means: try again later; a throw of
   * `PermanentError`: never again. It may be run again for an event when a worker was killed before the
   * outcome was noted, so what it does should bear repeating.
   */
  handle: (event: AssetEvent, context: ProcessorContext<ConfigFor<Requires>>) => Promise<Returned> | Returned
  /**
   * Variables of the environment that it cannot do without: those of the listener by their name, such as `DATABASE_URL`; any other
   * by its name, or with a schema. Checked before it starts; their values are in `config`.
   */
  requires?: Requires
  /** Metadata fields it cannot do without; the command `setup` creates those that Cloudinary has not. */
  metadataFields?: readonly MetadataFieldDefinition[]
  /** Run once by each worker before its first event: connect here. A throw ends the worker and says why. */
  start?: (context: StartContext<ConfigFor<Requires>>) => Promise<void> | void
  /** Run once when the worker has handled its last event: close here what `start` opened. */
  stop?: () => Promise<void> | void
  /** Creates, or brings up to date, what it keeps elsewhere: the command `migrate` runs it. Safe to run again. */
  migrate?: (context: MigrateContext<ConfigFor<Requires>>) => Promise<void>
  /** Checks what it needs elsewhere, and changes nothing there: the command `doctor` runs it. A throw is a fault. */
  check?: (context: CheckContext<ConfigFor<Requires>>) => Promise<Finding[]> | Finding[]
}

// biome-ignore lint/suspicious/noConfusingVoidType: a handler may return a note on one path and nothing on another
type Returned = string | undefined | void

export interface Listener {
  processors: readonly Processor[]
  /** Any pino instance, used instead of the listener's own. */
  logger?: Logger
}

/** SQS hides a message for 12 hours at most. */
const LONGEST_TIMEOUT_SECONDS = 36_000

const invalid = (message: string) => new ListenerError('LISTENER_CONFIG_INVALID', message)

/**
 * Says what this listener does.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID, with what to mend
 */
export function defineListener(listener: Listener): Listener {
  if (!Array.isArray(listener?.processors)) throw invalid('defineListener needs `processors`, an array')
  const names = new Set<string>()
  for (const [index, processor] of listener.processors.entries()) {
    if (typeof processor?.name !== 'string' || !/^[\w.-]{1,64}$/.test(processor.name)) {
      throw invalid(`processor ${index} needs a name of 1 to 64 letters, digits, ".", "_" or "-"`)
    }
    const { name, on, when, timeoutSeconds, handle } = processor
    if (names.has(name)) throw invalid(`two processors are named "${name}"; give each its own name`)
    names.add(name)
    if (!Array.isArray(on) || on.length === 0)
      throw invalid(`processor "${name}" needs \`on\`, a list of event types`)
    for (const type of on) {
      if (type !== '*' && !EVENT_TYPES.includes(type)) {
        throw invalid(`processor "${name}" is on "${type}"; the types are *, ${EVENT_TYPES.join(', ')}`)
      }
    }
    if (when !== undefined && typeof when !== 'function')
      throw invalid(`\`when\` of processor "${name}" is not a function`)
    if (
      timeoutSeconds !== undefined &&
      !(typeof timeoutSeconds === 'number' && timeoutSeconds > 0 && timeoutSeconds <= LONGEST_TIMEOUT_SECONDS)
    ) {
      throw invalid(`\`timeoutSeconds\` of processor "${name}" must be from 1 to ${LONGEST_TIMEOUT_SECONDS}`)
    }
    if (typeof handle !== 'function') throw invalid(`processor "${name}" needs a function \`handle\``)
    for (const hook of ['start', 'stop', 'migrate', 'check'] as const) {
      if (processor[hook] !== undefined && typeof processor[hook] !== 'function')
        throw invalid(`\`${hook}\` of processor "${name}" is not a function`)
    }
  }
  const problem = problemOfRequirements(listener.processors)
  if (problem) throw invalid(problem)
  if (listener.logger !== undefined && typeof listener.logger?.child !== 'function') {
    throw invalid('`logger` must be a pino instance')
  }
  return listener
}

/** A processor whose `config` has the types of the variables that it requires. */
export const defineProcessor = <const Requires extends readonly Requirement[] = readonly []>(
  processor: Processor<Requires>
): Processor => processor as unknown as Processor
