import type { z } from 'zod'
import type { CloudinaryClient } from './cloudinary/client.ts'
import type { Config, VariableName } from './config.ts'
import type { AssetEvent, EventType } from './ingest/event.ts'
import type { State } from './journal/processor-state.ts'
import type { Logger } from './logger.ts'

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

/** A variable of a processor's own. */
export interface OwnVariable {
  /** As the environment has it, such as `CMS_TOKEN`. */
  name: string
  /** Validates the text, and may turn it into something else. Default: any text. If it accepts `undefined`, the variable is optional. */
  schema?: z.ZodType
  /** What a value must be, as the error for a bad one prints it. Default: what `schema` says of the value. */
  allowed?: string
  /** Never repeat the value in an error. */
  secret?: boolean
  /** A value for `npm start` and `npm test`, where none is set. It opens nothing. */
  example?: string
}

/** A variable that a processor cannot do without: one of the listener's, or any other. */
export type Requirement = VariableName | (string & {}) | OwnVariable

type NameOf<Required> = Required extends OwnVariable ? Required['name'] : Required

type ValueOf<Required> = Required extends VariableName
  ? NonNullable<Config[Required]>
  : Required extends { schema: infer Schema extends z.ZodType }
    ? z.output<Schema>
    : string

/** The environment as a processor with these requirements finds it. */
export type ConfigFor<Requires extends readonly Requirement[]> =
  string extends NameOf<Requires[number]>
    ? Config
    : Config & { [Required in Requires[number] as NameOf<Required> & string]: ValueOf<Required> }
