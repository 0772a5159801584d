import { pino } from 'pino'
import t from 'tap'
import { ConfigError } from '../../../app/config.ts'
import { ListenerError } from '../../../app/errors.ts'
import { logStartError } from '../../../app/roles/start-error.ts'

function logged(error: unknown, level = 'info'): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  const formatters = { level: (label: string) => ({ level: label }) }
  logStartError(pino({ level, formatters }, { write: (line) => void lines.push(JSON.parse(line)) }), error)
  return lines
}

t.test('logs one line for each problem of the configuration', async (t) => {
  const lines = logged(new ConfigError(['PORT is "abc"', 'QUEUE_URL is not set']))
  t.match(lines, [
    { level: 'fatal', code: 'CONFIG_INVALID', msg: 'PORT is "abc"', err: undefined },
    { level: 'fatal', code: 'CONFIG_INVALID', msg: 'QUEUE_URL is not set', err: undefined }
  ])
})

t.test('logs the cause of an invalid listener configuration only in debug logs', async (t) => {
  const code = 'LISTENER_CONFIG_INVALID'
  const error = new ListenerError(code, 'listener.config.ts:2', { cause: new SyntaxError('enum') })
  t.match(logged(error), [{ level: 'fatal', code, msg: 'listener.config.ts:2', err: undefined }])
  t.match(logged(error, 'debug'), [{ level: 'fatal', code, err: { type: 'SyntaxError' } }])
})

t.test('logs the cause of other errors with a code, and no secret of the message', async (t) => {
  const error = new ListenerError('CLOUDINARY_URL_INVALID', 'cloudinary://1:s3cr3t@demo', {
    cause: new Error('what happened')
  })
  const [line] = logged(error)
  t.match(line, { level: 'fatal', code: 'CLOUDINARY_URL_INVALID', err: { message: 'what happened' } })
  t.notMatch(JSON.stringify(line), 's3cr3t')
})

t.test('logs an unexpected error with its stack', async (t) => {
  t.match(logged(new TypeError('surprise')), [
    { level: 'fatal', msg: 'start failed', err: { message: 'surprise', stack: String } }
  ])
})
