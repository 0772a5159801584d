import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { parseEnv } from 'node:util'
import t, { type Test } from 'tap'
import { ListenerError } from '../../../app/errors.ts'
import { COLLEAGUE, LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { type CloudinaryStandIn, startCloudinary } from '../../../dev/cloudinary/cloudinary-server.ts'
import type { LogLine } from '../../../dev/start/role-process.ts'
import { runStart } from '../../../dev/start/start-command.ts'
import type { Reload, System, SystemOptions } from '../../../dev/start/system.ts'
import { Output } from '../../support/output.ts'
import { configFile } from './fixtures.ts'

const logged = (msg: string, fields: object = {}): LogLine => ({
  role: 'worker',
  level: 'info',
  time: new Date().toISOString(),
  msg,
  ...fields
})

interface FakeOptions {
  environment?: Record<string, string>
  /** Actions of the system, and how it ends. */
  startSystem?: (options: SystemOptions) => Promise<Partial<System>>
  journeyMs?: number
  usualWebPort?: number
}

/** Runs the command in this process with a fake system. */
function start(t: Test, { environment = {}, startSystem, journeyMs, usualWebPort = 0 }: FakeOptions = {}) {
  const interrupted = new AbortController()
  const printed = new Output()
  const stops: string[] = []
  const log = Promise.withResolvers<(line: LogLine) => void>()
  const ended = runStart({
    environment,
    colors: false,
    print: (text) => printed.add(`${text}\n`),
    until: interrupted.signal,
    journeyMs,
    usualPorts: { web: usualWebPort, cloudinary: 0 },
    startSystem: async (options) => {
      log.resolve(options.onLine)
      return {
        cloudinary: undefined,
        webhookUrl: `http://127.0.0.1:${options.environment.PORT}/webhooks/cloudinary`,
        activityUrl: 'http://127.0.0.1:8081/activity',
        hints: [],
        embedded: { JOURNAL_TABLE: 'embedded' },
        files: [],
        stop: async () => void stops.push('stopped'),
        ...(await startSystem?.(options))
      } as unknown as System
    }
  })
  void ended.then(() => printed.end())
  t.teardown(async () => {
    interrupted.abort()
    await ended
  })
  return {
    ended,
    stops,
    stop: () => interrupted.abort(),
    log: async (line: LogLine) => (await log.promise)(line),
    output: () => printed.text,
    waitFor: (pattern: RegExp) => printed.waitFor(pattern)
  }
}

async function standIn(t: Test): Promise<CloudinaryStandIn> {
  const cloudinary = await startCloudinary({
    environments: [{ ...LOCAL_CLOUDINARY, foreignKeys: [COLLEAGUE] }]
  })
  t.teardown(() => cloudinary.stop())
  return cloudinary
}

t.test('prints the journey of one upload, then the log, and removes its file at the end', async (t) => {
  const cloudinary = await standIn(t)
  const { ended, output, waitFor, log, stop, stops } = start(t, {
    startSystem: async ({ onLine }) => ({
      cloudinary,
      atRest: async () => {
        onLine(logged('event processed', { type: 'upload', processor: 'tag', note: 'tagged' }))
      }
    })
  })
  const [, file] = await waitFor(/--env-file=(\S+) app\/main\.ts doctor/)
  t.match(output(), /0 ms {2}uploaded/)
  t.match(output(), /ms {2}processed {5}upload: tag: tagged/)
  t.match(output(), /tags \[\]/)
  t.notMatch(output(), 'INFO', 'the log starts after the journey')
  t.strictSame(parseEnv(readFileSync(file!, 'utf8')), { JOURNAL_TABLE: 'embedded' })
  await log({ _aws: {}, role: 'worker' })
  await log(logged('event ignored', { asset: 'x\u2028y' }))
  await waitFor(/INFO: worker: event ignored .*"asset":"x\u2028y"/)
  t.notMatch(output(), 'undefined', 'prints no metrics')
  stop()
  t.equal(await ended, 0)
  t.strictSame(stops, ['stopped'])
  t.notOk(existsSync(file!))
})

t.test(
  'uploads nothing to the Cloudinary of the environment; a stop during the start takes effect',
  async (t) => {
    const { ended, output, stop } = start(t)
    stop()
    t.equal(await ended, 0)
    t.match(output(), /setup --poll/)
    t.notMatch(output(), /hello\/first-upload/)
  }
)

t.test('listens on a free port where the usual one is taken', async (t) => {
  const usual = createServer().listen(0, '127.0.0.1')
  await once(usual, 'listening')
  t.teardown(() => usual.close())
  const { port: usualWebPort } = usual.address() as AddressInfo
  let port: string | undefined
  const { ended, output, stop } = start(t, {
    usualWebPort,
    startSystem: async ({ environment }) => {
      port = environment.PORT
      return {}
    }
  })
  stop()
  await ended
  t.equal(port, '0')
  t.match(output(), new RegExp(`^Port ${usualWebPort} is taken`, 'm'))
})

t.test('does not start on a requested port that is taken', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { ended, output } = start(t, { environment: { PORT: String(port) } })
  t.equal(await ended, 1)
  t.match(output(), `port ${port} is taken`)
})

t.test('passes on a requested port that is free or invalid', async (t) => {
  for (const PORT of ['0', 'abc']) {
    let port: string | undefined
    const { ended, stop } = start(t, {
      environment: { PORT },
      startSystem: async ({ environment }) => {
        port = environment.PORT
        return { webhookUrl: 'http://127.0.0.1:9/webhooks/cloudinary' }
      }
    })
    stop()
    await ended
    t.equal(port, PORT)
  }
})

t.test('runs on when the first upload is not done in time, and prints problems at once', async (t) => {
  const cloudinary = await standIn(t)
  const { ended, output, waitFor, stop } = start(t, {
    journeyMs: 50,
    startSystem: async ({ onLine }) => ({
      cloudinary,
      atRest: () => {
        onLine(logged('http server error', { level: 'warn' }))
        return new Promise(() => {})
      }
    })
  })
  await waitFor(/curl -X POST/)
  t.match(output(), /WARN: worker: /)
  stop()
  t.equal(await ended, 0)
})

t.test('prints an error of the user once, with its stack only at the log level debug', async (t) => {
  for (const LOG_LEVEL of ['info', 'debug']) {
    const { ended, output } = start(t, {
      environment: { LOG_LEVEL },
      startSystem: async () => {
        throw new ListenerError('LISTENER_CONFIG_INVALID', 'config.ts:2: wrong\nand more', {
          cause: 'the stack'
        })
      }
    })
    t.equal(await ended, 1)
    t.match(output(), /\n {2}config\.ts:2: wrong\n {2}and more/)
    t.equal(output().includes('the stack'), LOG_LEVEL === 'debug')
  }
})

t.test('prints an error that web and worker both report once', async (t) => {
  const fatal = logged('the API secret is missing', { level: 'fatal', code: 'CONFIG_INVALID' })
  const { ended, output } = start(t, {
    startSystem: async ({ onLine }) => {
      onLine({ ...fatal, role: 'web' })
      onLine({ ...fatal, role: 'worker' })
      throw new Error('worker exited (exit code 1)')
    }
  })
  t.equal(await ended, 1)
  t.equal(output().split('API secret is missing').length, 2)
  t.match(output(), 'worker exited (exit code 1)')
})

t.test('restarts the worker after an edit, shows new hints and updates its file', async (t) => {
  const { path, write } = configFile(t)
  const hints = ['  old hint']
  const embedded: Record<string, string> = {}
  const reloads: Reload[] = [{ files: [path], refused: 'config.ts:1: broken' }, { files: [path] }]
  const { waitFor, output, log } = start(t, {
    startSystem: async () => ({
      files: [path],
      hints,
      embedded,
      reload: async () => {
        if (reloads.length === 1) {
          hints.push('  new hint')
          embedded.NOTIFY_TOPIC_ARN = 'arn:here'
        }
        return reloads.shift() ?? { files: [path] }
      }
    })
  })
  const [, file] = await waitFor(/--env-file=(\S+) app\/main\.ts doctor/)
  await log({ role: 'worker', msg: 'loaded' })
  await waitFor(/^worker: loaded$/m)
  write('one')
  await waitFor(/config\.ts:1: broken/)
  write('two')
  await waitFor(/^ {2}new hint$/m)
  t.equal(output().split('old hint').length, 2)
  t.match(parseEnv(readFileSync(file!, 'utf8')), { NOTIFY_TOPIC_ARN: 'arn:here' })
})
