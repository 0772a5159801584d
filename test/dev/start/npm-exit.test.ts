import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { npmProcesses, onNpmExit } from '../../../dev/start/npm-exit.ts'

// the checks keep no process alive
const alive = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(alive))

const NPM = { npm_lifecycle_event: 'start' }

t.test('calls back when npm or its shell exits', async (t) => {
  const npm = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
  const ended = new Promise<void>((resolve) => onNpmExit(resolve, NPM, () => [process.pid, npm.pid!]))
  npm.kill('SIGKILL')
  await Promise.all([once(npm, 'exit'), ended])
  t.pass('called back')
})

t.test('does nothing while npm runs, or in a process that npm has not started', async (t) => {
  const never = () => t.fail('npm is running')
  t.teardown(onNpmExit(never, NPM))
  const asked: number[] = []
  t.teardown(
    onNpmExit(never, {}, (pid) => {
      asked.push(pid)
      return []
    })
  )
  t.strictSame(asked, [])
  // longer than two checks
  await new Promise((resolve) => setTimeout(resolve, 600))
})

t.test('finds npm as the parent, or as the parent of the shell', async (t) => {
  t.strictSame(
    npmProcesses(20, () => '  10 sh\n'),
    [20, 10]
  )
  t.strictSame(
    npmProcesses(20, () => '   1 npm start\n'),
    [20]
  )
  t.strictSame(
    npmProcesses(20, () => ''),
    [20]
  )
  t.ok(npmProcesses(process.ppid).includes(process.ppid))
  t.strictSame(npmProcesses(0), [0], 'no such process')
})
