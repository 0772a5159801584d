/**
 * Stands in for app/main.ts, which takes a second of CPU time to load. Logs `… is ready` with its
 * environment, and runs until SIGTERM. The configuration file tells it to fail: `ROLE fails` on any line.
 */
import { readFileSync } from 'node:fs'

const [role = ''] = process.argv.slice(2)
const config = readFileSync(process.env.LISTENER_CONFIG!, 'utf8')
const log = (fields: object) =>
  process.stdout.write(
    `${JSON.stringify({ role, time: new Date().toISOString(), level: 'info', ...fields })}\n`
  )

if (config.includes(`${role} fails`)) {
  if (role === 'migrate') process.stderr.write('no such luck\n')
  else
    log({ level: 'fatal', code: 'START_FAILED', msg: 'start failed', err: { message: 'no\n  connection' } })
  process.exitCode = 1
} else if (role !== 'migrate') {
  process.once('SIGTERM', () => {
    log({ msg: 'stopped' })
    process.exit()
  })
  process.stdout.write('not from the logger\n')
  log({
    msg: `${role} is ready`,
    pid: process.pid,
    environment: process.env,
    ...(role === 'web' && { webhook: 'http://127.0.0.1:9/webhooks/cloudinary' }),
    ...(role === 'activity' && { page: `http://127.0.0.1:${process.env.PORT}/activity` })
  })
  setInterval(() => {}, 60_000)
}
