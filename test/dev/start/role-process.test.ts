import t, { type Test } from 'tap'
import { Child, type ChildOptions, type LogLine } from '../../../dev/start/role-process.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

/** A child whose lines and deaths can be waited for. */
function startChild(t: Test, options: Partial<ChildOptions> = {}) {
  const lines: LogLine[] = []
  const deaths: Parameters<ChildOptions['onDeath']>[0][] = []
  let wake = () => {}
  const child = new Child({
    role: 'worker',
    shortLifeMs: 60_000,
    environment: CHILD_ENVIRONMENT,
    onLine: (line) => {
      lines.push(line)
      wake()
    },
    onDeath: (death) => {
      deaths.push(death)
      wake()
    },
    ...options
  })
  t.teardown(() => child.stop())
  const until = async (reached: () => boolean) => {
    while (!reached()) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { child, lines, deaths, until }
}

t.test(
  'a role that dies is started again, after a longer pause each time it lives but shortly',
  async (t) => {
    // without its variables a worker ends at once
    const { lines, deaths, until, child } = startChild(t)
    await until(() => deaths.length === 2)
    t.match(deaths, [
      { code: 1, signal: null, pauseMs: 500 },
      { code: 1, signal: null, pauseMs: 1000 }
    ])
    for (const line of lines) t.match(line, { role: 'worker', code: 'CONFIG_INVALID' })
    await child.stop()
    t.equal(deaths.length, 2, 'stopped in its pause, it is not started again')
  }
)

t.test('a role that dies after a long life is started again at once', async (t) => {
  const { deaths, until } = startChild(t, { shortLifeMs: 0 })
  await until(() => deaths.length === 2)
  t.match(deaths, [{ pauseMs: 0 }, { pauseMs: 0 }])
})

t.test('what a role writes that is not JSON comes as a message', async (t) => {
  const { lines, until } = startChild(t, { role: 'no-such-role' })
  await until(() => lines.length > 0)
  t.strictSame(lines[0], { role: 'no-such-role', msg: '"no-such-role" is not a role or a command' })
})

t.test('a role that is killed when it has died is not started again', async (t) => {
  const { child, deaths, until } = startChild(t)
  await until(() => deaths.length === 1)
  const { pid } = child
  child.kill()
  await child.stop()
  t.equal(child.pid, pid)
})

t.test('who is told of its death may stop it', async (t) => {
  const died = Promise.withResolvers<void>()
  const { child } = startChild(t, {
    onDeath: () => {
      void child.stop()
      died.resolve()
    }
  })
  const { pid } = child
  await died.promise
  await child.stop()
  t.equal(child.pid, pid)
})

t.test('a role that is asked to stop is not started again', async (t) => {
  const { child, lines, deaths, until } = startChild(t, {
    environment: {
      ...CHILD_ENVIRONMENT,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9',
      QUEUE_URL: 'http://127.0.0.1:9/0/q.fifo',
      DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/0/d.fifo',
      JOURNAL_TABLE: 'journal',
      CLOUDINARY_URL: 'cloudinary://key:secret@demo'
    }
  })
  await until(() => lines.some(({ msg }) => msg === 'worker is ready'))
  t.type(child.pid, 'number')
  await child.stop()
  await child.stop()
  t.strictSame(deaths, [])
  t.ok(lines.some(({ msg }) => msg === 'stopped'))
})
