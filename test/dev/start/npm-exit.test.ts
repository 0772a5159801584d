import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { processesAbove, whenNpmEnds } from '../../../dev/start/npm-exit.ts'

// what looks for npm keeps no process alive
const alive = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(alive))

const NPM = { npm_lifecycle_event: 'start' }

t.test('it is noticed that npm has ended, or the shell that it runs scripts by', async (t) => {
  const npm = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
  const ended = new Promise<void>((resolve) => whenNpmEnds(resolve, NPM, () => [process.pid, npm.pid!]))
  npm.kill('SIGKILL')
  await Promise.all([once(npm, 'exit'), ended])
  await ended
  t.pass('noticed')
})

t.test('as long as npm is there, and in a process that it has not started, nothing happens', async (t) => {
  const never = () => t.fail('npm is there')
  t.teardown(whenNpmEnds(never, NPM))
  const asked: number[] = []
  t.teardown(
    whenNpmEnds(never, {}, (pid) => {
      asked.push(pid)
      return []
    })
  )
  t.strictSame(asked, [])
  // longer than it takes to look twice
  await new Promise((resolve) => setTimeout(resolve, 600))
})

t.test('above this process is npm, or a shell and then npm', async (t) => {
  t.strictSame(
    processesAbove(20, () => '  10 sh\n'),
    [20, 10]
  )
  t.strictSame(
    processesAbove(20, () => '   1 npm start\n'),
    [20]
  )
  t.strictSame(
    processesAbove(20, () => ''),
    [20]
  )
  t.ok(processesAbove(process.ppid).includes(process.ppid))
  t.strictSame(processesAbove(0), [0], 'there is no such process')
})
