import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import t from 'tap'
import { startStandIns } from '../../dev/stand-ins.ts'
import { onEachLine } from '../../dev/start/read-lines.ts'
import { CHILD_ENVIRONMENT, freePort } from '../support/system.ts'

t.test('formats what a logger writes', async (t) => {
  const { destination } = pino
  t.teardown(() => Object.assign(pino, { destination }))
  await import('../../dev/readable-log.ts')
  const file = `${t.testdir()}/log`
  pino({ base: { role: 'web' } }, pino.destination({ dest: file, sync: true })).info('hello')
  t.match(readFileSync(file, 'utf8'), /^\[[\d:.]+\] INFO: web: hello\n$/)
})

t.test('formats every line of a role until it exits', async (t) => {
  const port = await freePort()
  const standIns = await startStandIns({ webhookUrl: `http://127.0.0.1:${port}/webhooks/cloudinary` })
  t.teardown(standIns.stop)
  const web = spawn(process.execPath, ['--import', './dev/readable-log.ts', 'app/main.ts', 'web'], {
    env: { ...CHILD_ENVIRONMENT, ...standIns.environment, PORT: `${port}` },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = once(web, 'close')
  t.teardown(async () => {
    web.kill('SIGKILL')
    await ended
  })
  const lines: string[] = []
  const ready = Promise.withResolvers<void>()
  onEachLine(web.stdout, (line) => {
    lines.push(line)
    if (line.includes('web: web is ready')) ready.resolve()
  })
  await ready.promise
  standIns.cloudinary.as().upload({ publicId: 'cat' })
  await standIns.cloudinary.idle()
  web.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
  t.match(lines.at(-1), /^\[[\d:.]+\] INFO: web: stopped$/)
  t.match(
    lines.filter((line) => line.includes('web: notification accepted')),
    [/"type":"upload"/]
  )
  t.strictSame(
    lines.filter((line) => !line.startsWith('[')),
    []
  )
})
