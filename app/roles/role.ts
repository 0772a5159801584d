import type { Config, VariableName } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { Listener } from '../processor.ts'

/** Stops a started role without losing anything. */
export type Stop = () => Promise<void>

export interface RoleContext<Required extends VariableName = never> {
  /** The environment, validated: the variables that the role requires are set. */
  config: Config & { [Name in Required]: NonNullable<Config[Name]> }
  listener: Listener
  log: Logger
  /** Writes a line to standard output, in order with the log. */
  write: (line: string) => void
}

/** A process that runs until it is stopped. */
export interface Role {
  summary: string
  /** Variables that must be set. */
  requires: readonly VariableName[]
  /** Maximum duration of a stop, in milliseconds; then the process exits. ECS allows 120 s. */
  stopWithinMs: number
  start: (context: RoleContext) => Promise<Stop>
}

/** Describes a role whose `config` has the types of the variables that it requires. */
export const defineRole = <const Required extends VariableName>(
  role: Omit<Role, 'requires' | 'start'> & {
    requires: readonly Required[]
    start: (context: RoleContext<Required>) => Promise<Stop>
  }
): Role => role as unknown as Role
