import { prettyFactory } from 'pino-pretty'

/** Creates a function that formats a log line, as text or parsed, for people. */
export function createLogFormat({ colors }: { colors: boolean }): (line: string | object) => string {
  return prettyFactory({ colorize: colors, ignore: 'role', messageFormat: '{role}: {msg}', singleLine: true })
}
