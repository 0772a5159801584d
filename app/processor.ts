import type { z } from 'zod'
import type { CloudinaryClient } from './cloudinary/client.ts'
import type { Config, VariableName } from './config.ts'
import type { AssetEvent, EventType } from './ingest/event.ts'
import type { State } from './journal/processor-state.ts'
import type { Logger } from './logger.ts'
import type { Schedule } from './schedules/schedule.ts'

/** Second argument of `handle`. */
export interface ProcessorContext<KnownConfig = Config> {
  /** The validated environment, including the variables in `requires`. */
  config: KnownConfig
  /** Client of the Cloudinary environment of the event. */
  cloudinary: CloudinaryClient
  /** Logger whose lines have the event's id, type, asset and trace id. */
  log: Logger
  /** Aborts at the timeout or when the worker stops. Pass it to every call that you wait for. */
  signal: AbortSignal
  /** Stores data between events for 30 days. Each processor has its own. */
  state: State
}

/** Argument of `start`. */
export interface StartContext<KnownConfig = Config> {
  /** The validated environment, including the variables in `requires`. */
  config: KnownConfig
  log: Logger
}

/** Argument of `migrate`. */
export interface MigrateContext<KnownConfig = Config> extends StartContext<KnownConfig> {
  /** Prints one line about what was done. */
  print: (line: string) => void
  /** Change nothing; print what would be done. */
  dryRun: boolean
}

/** Argument of `check`. */
export interface CheckContext<KnownConfig = Config> extends StartContext<KnownConfig> {
  /** Aborts after 5 s. */
  signal: AbortSignal
}

/** Why an event was dead-lettered. Secrets are masked, as in the log. */
export interface DeadLetter {
  /** Name of the processor that cannot succeed. */
  processor: string
  code: string
  message: string
}

/** Third argument of `deadLettered`. */
export interface DeadLetterContext<KnownConfig = Config> extends StartContext<KnownConfig> {
  /** Aborts after 10 s. */
  signal: AbortSignal
}

/** Result of a check. The message of a warning or a fault also says what to do. */
export interface Finding {
  level: 'ok' | 'warning' | 'fault'
  message: string
}

/** A structured metadata field, in the terms of Cloudinary's Admin API. */
export interface MetadataFieldDefinition {
  external_id: string
  label: string
  type: 'string' | 'integer' | 'date'
}

/**
 * A processor: handles the events of some types. `when` and `handle` are methods, so that a processor of some
 * types is also a `Processor`.
 */
export interface Processor<
  Type extends EventType | '*' = EventType | '*',
  Requires extends readonly Requirement[] = readonly Requirement[]
> {
  /** Unique in the listener. The journal records outcomes under this name. */
  name: string
  /**
   * Event types that it handles. `*` matches all types, including `unknown`. May be empty for a processor with
   * `deadLettered`.
   */
  on: readonly Type[]
  /** Skips events for which it returns false. */
  when?(event: AssetEvent<Type>): boolean
  /** Timeout of `handle`, in seconds; then its `signal` aborts and the event is retried. (Default: 300) */
  timeoutSeconds?: number
  /**
   * Also handle changes made with the listener's own API key. `eager` results are always handled. Default:
   * false.
   */
  ownChanges?: boolean
  /**
   * Handles an event. May return a note about what was done. Throw to retry later, or throw a
   * `PermanentError` to dead-letter the event. Must be idempotent: it runs again if a worker is killed before
   * the outcome is recorded.
   */
  handle(
    event: AssetEvent<Type>,
    context: ProcessorContext<ConfigFor<Requires>>
  ): Promise<Returned> | Returned
  /**
   * Required environment variables: of the listener by name, such as `DATABASE_URL`; others by name or with a
   * schema. Checked before the start. Their values are in `config`.
   */
  requires?: Requires
  /**
   * npm packages that it imports in `start`, so that listeners without it do not need them. Checked when the
   * listener configuration loads. The image has only those in `dependencies` of package.json.
   */
  packages?: readonly string[]
  /** Searches by cron, whose events this processor handles. The command `schedules` runs them. */
  schedules?: readonly Schedule[]
  /** Required metadata fields. The command `setup` creates missing ones. */
  metadataFields?: readonly MetadataFieldDefinition[]
  /** Runs once in each worker before its first event: connect here. A throw ends the worker and logs why. */
  start?: (context: StartContext<ConfigFor<Requires>>) => Promise<void> | void
  /**
   * Called after the dead-letter queue has stored an event of any processor, whatever the types in `on`.
   * Best effort: nobody waits for it, a failure is only logged, and it may be called again for the same event.
   */
  deadLettered?: (
    event: AssetEvent,
    letter: DeadLetter,
    context: DeadLetterContext<ConfigFor<Requires>>
  ) => Promise<void> | void
  /** Runs once after the worker's last event: close here what `start` opened. */
  stop?: () => Promise<void> | void
  /**
   * Creates or updates its external resources, such as tables. Run by the command `migrate`. Must be
   * idempotent.
   */
  migrate?: (context: MigrateContext<ConfigFor<Requires>>) => Promise<void>
  /** Checks its external resources and changes nothing. Run by the command `doctor`. A throw is a fault. */
  check?: (context: CheckContext<ConfigFor<Requires>>) => Promise<Finding[]> | Finding[]
}

// biome-ignore lint/suspicious/noConfusingVoidType: a handler may return nothing
type Returned = string | undefined | void

export interface Listener {
  processors: readonly Processor[]
  /** Searches by cron: each asset found becomes an event of type `scheduled_search`. */
  schedules?: readonly Schedule[]
  /** Any pino instance. (Default: JSON lines on standard output) */
  logger?: Logger
}

/** A listener whose processors handle these types: one union of types per processor. */
export interface ListenerOf<Types extends readonly (EventType | '*')[]> extends Omit<Listener, 'processors'> {
  processors: { readonly [Index in keyof Types]: Processor<Types[Index]> }
}

/** An environment variable that a processor defines. */
export interface OwnVariable {
  /** Such as `CMS_TOKEN`. */
  name: string
  /**
   * Validates and may transform the value. (Default: any text) The variable is optional if it accepts
   * `undefined`.
   */
  schema?: z.ZodType
  /** What a value must be, for errors. (Default: the messages of `schema`) */
  allowed?: string
  /** Errors never repeat the value. */
  secret?: boolean
  /** A value for `npm start` and `npm test` if the variable is not set. Must not be a real secret. */
  example?: string
}

/** A required environment variable: one of the listener's, or any other. */
export type Requirement = VariableName | (string & {}) | OwnVariable

type NameOf<Required> = Required extends OwnVariable ? Required['name'] : Required

type ValueOf<Required> = Required extends VariableName
  ? NonNullable<Config[Required]>
  : Required extends { schema: infer Schema extends z.ZodType }
    ? z.output<Schema>
    : string

/** The type of `config` for a processor with these requirements. */
export type ConfigFor<Requires extends readonly Requirement[]> =
  string extends NameOf<Requires[number]>
    ? Config
    : Config & { [Required in Requires[number] as NameOf<Required> & string]: ValueOf<Required> }
