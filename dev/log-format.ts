import { prettyFactory } from 'pino-pretty'

/** Formats a line of a role's log, as it is or parsed, for people to read. */
export function createLogFormat({ colors }: { colors: boolean }): (line: string | object) => string {
  return prettyFactory({ colorize: colors, ignore: 'role', messageFormat: '{role}: {msg}', singleLine: true })
}
