import { pino } from 'pino'
import t from 'tap'
import { type Config, readConfig } from '../../../app/config.ts'
import type { Processor } from '../../../app/listener.ts'
import { startProcessors, stopProcessors } from '../../../app/worker/processor-lifecycle.ts'

const config: Config = readConfig([], { LOG_LEVEL: 'debug' })

/** Processors that note what is asked of them. */
function build(...names: string[]) {
  const done: string[] = []
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) })
  const processors = names.map(
    (name): Processor => ({
      name,
      on: ['upload'],
      handle() {},
      start(context) {
        if (name === 'broken') throw new Error('no database')
        context.log.info('starting')
        done.push(`start ${name} at ${context.config.LOG_LEVEL}`)
      },
      async stop() {
        if (name === 'stuck') throw new Error('cannot close')
        done.push(`stop ${name}`)
      }
    })
  )
  return { processors, done, lines, log }
}

t.test('processors start in order, with the configuration and a log of their own', async (t) => {
  const { processors, done, lines, log } = build('one', 'two')
  await startProcessors([...processors, { name: 'plain', on: ['upload'], handle() {} }], { config, log })
  t.strictSame(done, ['start one at debug', 'start two at debug'])
  t.match(lines, [{ processor: 'one' }, { processor: 'two' }])
})

t.test('when one cannot start, those before it are stopped again', async (t) => {
  const { processors, done, log } = build('one', 'two', 'broken', 'three')
  await t.rejects(startProcessors(processors, { config, log }), { message: 'no database' })
  t.strictSame(done.slice(2), ['stop two', 'stop one'])
})

t.test('one that cannot stop keeps none of the others from it', async (t) => {
  const { processors, done, lines, log } = build('one', 'stuck', 'two')
  await stopProcessors([{ name: 'plain', on: ['upload'], handle() {} }, ...processors], log)
  t.strictSame(done, ['stop two', 'stop one'])
  t.match(lines, [{ processor: 'stuck', msg: 'processor not stopped', err: { message: 'cannot close' } }])
})
