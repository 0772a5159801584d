import { pino } from 'pino'
import t from 'tap'
import { type Config, readConfig } from '../../../app/config.ts'
import type { Processor } from '../../../app/listener.ts'
import { startProcessors, stopProcessors } from '../../../app/worker/processor-lifecycle.ts'

const config: Config = readConfig([], { LOG_LEVEL: 'debug' })

/** Processors that record their starts and stops. */
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

t.test('starts processors in order, with the configuration and their own log', async (t) => {
  const { processors, done, lines, log } = build('one', 'two')
  await startProcessors([...processors, { name: 'plain', on: ['upload'], handle() {} }], { config, log })
  t.strictSame(done, ['start one at debug', 'start two at debug'])
  t.match(lines, [{ processor: 'one' }, { processor: 'two' }])
})

t.test('stops the started processors if one fails to start', async (t) => {
  const { processors, done, log } = build('one', 'two', 'broken', 'three')
  await t.rejects(startProcessors(processors, { config, log }), { message: 'no database' })
  t.strictSame(done.slice(2), ['stop two', 'stop one'])
})

t.test('stops the others if one fails to stop', async (t) => {
  const { processors, done, lines, log } = build('one', 'stuck', 'two')
  await stopProcessors([{ name: 'plain', on: ['upload'], handle() {} }, ...processors], log)
  t.strictSame(done, ['stop two', 'stop one'])
  t.match(lines, [{ processor: 'stuck', level: 50, err: { message: 'cannot close' } }])
})
