import { type DestinationStream, type Logger, pino } from 'pino'
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
const MAX_CAUSES = 8

/**
 * Serializes only an error's name, code, message, stack and causes, with secrets masked. pino's own
 * serializer copies every enumerable property, but errors of the Cloudinary SDK hold `request_options.auth =
 * "key:secret"`, and errors of the AWS SDK hold the response.
 */
export function serializeError(error: unknown, causes = MAX_CAUSES): SafeError {
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
    standardOutput()
  )
}

/** For commands, which print to the terminal. */
export const SILENT: Logger = pino({ level: 'silent' })

/** Returns a function that writes whole lines to standard output, in order with those of the logger. */
export function createOutput(): (line: string) => void {
  const output = standardOutput()
  return (line) => output.write(`${line}\n`)
}

/** Size of waiting lines that are written at once, in bytes. */
const MAX_WAITING_BYTES = 16_000

let output: (DestinationStream & { flushSync: () => void }) | undefined

/**
 * Returns standard output. The lines of one turn of the event loop are written with one call: a call for each
 * line takes a tenth of the CPU time of `web`. They are written synchronously, so that the last lines of a
 * process are complete and in order.
 */
function standardOutput(): DestinationStream & { flushSync: () => void } {
  if (output) return output
  const destination = pino.destination({ sync: true, minLength: MAX_WAITING_BYTES })
  let isScheduled = false
  const flush = () => {
    isScheduled = false
    destination.flush()
  }
  // not `flushSync`, which would retry for ever if the reader of the output has gone
  process.on('exit', flush)
  output = {
    // pino calls it after a fatal line
    flushSync: flush,
    write: (line) => {
      destination.write(line)
      if (isScheduled) return
      isScheduled = true
      setImmediate(flush)
    }
  }
  return output
}
