import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { ListenerError } from '../../app/errors.ts'
import { createLogger, serializeError } from '../../app/logger.ts'

t.test('serializes name, code, message, stack and causes of an error', async (t) => {
  const cause = new TypeError('no socket')
  const error = new ListenerError('QUEUE_UNAVAILABLE', 'SQS does not answer', { cause })
  t.strictSame(serializeError(error), {
    type: 'ListenerError',
    code: 'QUEUE_UNAVAILABLE',
    message: 'SQS does not answer',
    stack: error.stack,
    cause: { type: 'TypeError', message: 'no socket', stack: cause.stack }
  })
})

t.test('serializes no other property of an error', async (t) => {
  const fromSdk = Object.assign(new Error('not found', { cause: { auth: 'key:secret' } }), {
    request_options: { auth: 'key:secret', headers: { authorization: 'secret' } },
    query_params: 'secret',
    $response: { body: 'secret' },
    code: { secret: 1 }
  })
  const outer = new Error('outer', { cause: fromSdk })
  for (const error of [fromSdk, outer]) t.notMatch(JSON.stringify(serializeError(error)), 'secret')
  t.strictSame(Object.keys(serializeError(fromSdk)), ['type', 'message', 'stack'])
})

t.test('serializes only the first line of an AWS error', async (t) => {
  const error = Object.assign(
    new Error("The signature does not match.\n\nThe Canonical String:\n'POST\nx-amz-security-token:secret'"),
    { $metadata: { httpStatusCode: 403 } }
  )
  const { message, stack, cause } = serializeError(new Error('not stored', { cause: error })).cause ?? {}
  t.equal(message, 'The signature does not match.')
  t.match(stack, /^Error: The signature does not match\.\n {4}at /)
  t.equal(cause, undefined)
  delete error.stack
  t.strictSame(serializeError(error), { type: 'Error', message })
})

t.test('masks secrets in messages, stacks and causes', async (t) => {
  const cause = new TypeError('Failed to parse URL from https://hooks.example/T00/CAPABILITY')
  const written = serializeError(new Error('postgres://user:CAPABILITY@db/app', { cause }))
  t.notMatch(JSON.stringify(written), 'CAPABILITY')
  t.match(written, { message: 'postgres://…@db/app', cause: { message: /https:\/\/hooks\.example\/…$/ } })
})

t.test('does not repeat a thrown value that is not an error', async (t) => {
  const message = 'thrown value is not an Error'
  t.strictSame(serializeError('key:secret'), { type: 'string', message })
  t.strictSame(serializeError({ error: { auth: 'key:secret' } }), { type: 'object', message })
  t.strictSame(serializeError(null), { type: 'object', message })
  t.strictSame(serializeError(undefined), { type: 'undefined', message })
})

t.test('serializes an error without a stack', async (t) => {
  const error = new Error('short')
  delete error.stack
  t.strictSame(serializeError(error), { type: 'Error', message: 'short' })
})

t.test('converts invalid fields of an error to text', async (t) => {
  const error = Object.assign(new Error('plain'), { name: Symbol('name'), message: { deep: 1 }, stack: 7 })
  t.strictSame(serializeError(error), { type: 'Error', message: '' })
})

t.test('bounds a cyclic chain of causes', async (t) => {
  const error = new Error('round and round')
  error.cause = new Error('and back', { cause: error })
  const written = JSON.stringify(serializeError(error))
  t.match(written, 'and back')
  t.ok(written.length < 50_000)
})

t.test('writes JSON lines to standard output', async (t) => {
  const script = `
    const { createLogger } = await import(${JSON.stringify(import.meta.resolve('../../app/logger.ts'))})
    const log = createLogger({ level: 'info', role: 'web' })
    log.debug('too quiet')
    log.info({ eventId: 'e1' }, 'event stored')
    const err = Object.assign(new Error('refused'), { request_options: { auth: 'key:secret' } })
    log.child({ processor: 'p' }).error({ err }, 'event failed')
    log.warn(err)
  `
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8'
  })
  t.equal(status, 0, stderr)
  t.notMatch(stdout, 'secret')
  const lines = stdout.trimEnd().split('\n')
  const [stored, failed, bare, ...more] = lines.map((line) => JSON.parse(line))
  t.strictSame(more, [])
  const { time, ...rest } = stored
  t.strictSame(rest, { level: 'info', role: 'web', eventId: 'e1', msg: 'event stored' })
  t.equal(new Date(time).toISOString(), time)
  t.match(failed, {
    level: 'error',
    role: 'web',
    processor: 'p',
    err: { type: 'Error', message: 'refused', stack: String },
    msg: 'event failed'
  })
  t.match(bare, { level: 'warn', err: { type: 'Error', message: 'refused' }, msg: 'refused' })
})

t.test('writes output in order with the log, and loses none at exit', async (t) => {
  const script = `
    const { createLogger, createOutput } = await import(${JSON.stringify(import.meta.resolve('../../app/logger.ts'))})
    const log = createLogger({ level: 'info', role: 'web' })
    const write = createOutput()
    for (let i = 0; i < 3000; i += 2) {
      log.info({ i, filler: 'x'.repeat(100) }, 'event stored')
      write(JSON.stringify({ i: i + 1 }))
    }
    process.exit()
  `
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8'
  })
  const order = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).i)
  t.strictSame(
    order,
    Array.from({ length: 3000 }, (_, i) => i)
  )
})

t.test('writes nothing below its level', async (t) => {
  const log = createLogger({ level: 'warn', role: 'worker' })
  t.equal(log.level, 'warn')
  t.notOk(log.isLevelEnabled('info'))
  t.ok(log.isLevelEnabled('warn'))
  t.equal(createLogger({ level: 'silent', role: 'worker' }).isLevelEnabled('fatal'), false)
})

t.test('a process ends although nobody reads its last lines', async (t) => {
  const code = `
    import { createLogger } from '${import.meta.dirname}/../../app/logger.ts'
    const log = createLogger({ level: 'info', role: 'web' })
    process.stdin.once('data', () => {
      log.info('last line')
      process.exit(3)
    })`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  child.stdout.destroy()
  await once(child.stdout, 'close')
  child.stdin.write('go')
  const [exitCode] = await once(child, 'exit')
  t.equal(exitCode, 3)
})
