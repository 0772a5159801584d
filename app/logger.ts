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

/** Further lines of an AWS error may quote the signed request with its session token. */
function firstLineOnly({ name, message, stack }: Error): { message: string; stack: string | undefined } {
  const first = message.replace(/\n.*/s, '')
  const frames = stack?.split('\n').filter((line) => /^ {4}at /.test(line))
  return { message: first, stack: frames && [`${name}: ${first}`, ...frames].join('\n') }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Bounds the chain of causes: an error may be its own cause. */
const MAXIMUM_CAUSES = 8

/**
 * Serializes only an error's name, code, message, stack and causes, with secrets masked. pino's own
 * serializer copies every enumerable property, but errors of the Cloudinary SDK hold `request_options.auth =
 * "key:secret"`, and errors of the AWS SDK hold the response.
 */
export function serializeError(error: unknown, causes = MAXIMUM_CAUSES): SafeError {
  if (!(error instanceof Error)) return { type: typeof error, message: 'thrown value is not an Error' }
  const code: unknown = 'code' in error ? error.code : undefined
  // the fields of an error from user code may have any type
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

/** pino serializers for the two common names of an error field. */
export const SERIALIZERS = { err: serializeError, error: serializeError }

/** Creates the default logger: JSON lines on standard output, which ECS sends to CloudWatch. */
export function createLogger(options: { level: string; role: string }): Logger {
  return pino(
    {
      level: options.level,
      base: { role: options.role },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: SERIALIZERS
    },
    // the default writes asynchronously, and may reorder the last lines of a process
    pino.destination({ sync: true })
  )
}

/** For commands, which print to the terminal. */
export const SILENT: Logger = pino({ level: 'silent' })

/**
 * Returns a function that writes whole lines to standard output, in order with those of the default logger.
 */
export function createOutput(): (line: string) => void {
  const destination = pino.destination({ sync: true })
  return (line) => void destination.write(`${line}\n`)
}
