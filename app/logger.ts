import { type Logger, pino } from 'pino'
import { maskSecrets } from './mask.ts'

export type { Logger } from 'pino'

interface SafeError {
  type: string
  code?: string
  message: string
  stack?: string
  cause?: SafeError
}

/** What an error of AWS says beyond its first line may be the request as it was signed, with the token of the session. */
function firstLineOnly({ name, message, stack }: Error): { message: string; stack: string | undefined } {
  const first = message.replace(/\n.*/s, '')
  const frames = stack?.split('\n').filter((line) => /^ {4}at /.test(line))
  return { message: first, stack: frames && [`${name}: ${first}`, ...frames].join('\n') }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** An error may be its own cause. */
const MAXIMUM_CAUSES = 8

/**
 * Writes an error's name, code, message, stack and causes, and nothing else. pino's own serializer copies
 * every enumerable property; errors of the Cloudinary SDK carry `request_options.auth = "key:secret"` and
 * errors of the AWS SDK carry the response, so no property is copied that is not named here. What message and stack
 * quote is masked.
 */
export function serializeError(error: unknown, causes = MAXIMUM_CAUSES): SafeError {
  if (!(error instanceof Error))
    return { type: typeof error, message: 'a value that is not an Error was thrown' }
  const code: unknown = 'code' in error ? error.code : undefined
  // a user's code may throw errors whose fields are anything
  const { message, stack } =
    '$metadata' in error
      ? firstLineOnly(error)
      : { message: textOf(error.message), stack: textOf(error.stack) }
  return {
    type: textOf(error.name) || 'Error',
    ...(typeof code === 'string' && { code }),
    message: maskSecrets(message),
    ...(stack && { stack: maskSecrets(stack) }),
    ...(causes > 0 && error.cause instanceof Error && { cause: serializeError(error.cause, causes - 1) })
  }
}

/** Both names under which an error is commonly logged. */
export const SERIALIZERS = { err: serializeError, error: serializeError }

/** The listener's own logger: JSON lines on standard output, which ECS hands to CloudWatch. */
export function createLogger(options: { level: string; role: string }): Logger {
  return pino(
    {
      level: options.level,
      base: { role: options.role },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: SERIALIZERS
    },
    // pino's own default writes in the background, and at the end of a process the last lines change places
    pino.destination({ sync: true })
  )
}

/** For commands, which print for people. */
export const SILENT: Logger = pino({ level: 'silent' })

/** Writes lines on standard output as they are, each whole, and in order with those of the listener's own logger. */
export function createOutput(): (line: string) => void {
  const destination = pino.destination({ sync: true })
  return (line) => void destination.write(`${line}\n`)
}
