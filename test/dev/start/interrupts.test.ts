import { EventEmitter } from 'node:events'
import t from 'tap'
import { EXIT_SIGHUP, onInterrupt } from '../../../dev/start/interrupts.ts'

function build() {
  const codes: number[] = []
  const clock = { now: 0 }
  const host = Object.assign(new EventEmitter(), {
    stdout: new EventEmitter(),
    exit: (code: number) => void codes.push(code)
  })
  return { host, clock, codes, signal: onInterrupt(host, () => clock.now) }
}

for (const name of ['SIGINT', 'SIGTERM']) {
  t.test(`${name} aborts, and a second one exits`, async (t) => {
    const { host, clock, codes, signal } = build()
    t.notOk(signal.aborted)
    host.emit(name)
    t.ok(signal.aborted)
    clock.now = 500
    host.emit(name)
    t.strictSame(codes, [], 'npm may forward the same one')
    clock.now = 501
    host.emit(name)
    t.strictSame(codes, [130])
  })
}

t.test('exits when the terminal closes', async (t) => {
  const { host, codes } = build()
  host.emit('SIGHUP')
  t.strictSame(codes, [EXIT_SIGHUP])
})

t.test('exits when nobody reads the output', async (t) => {
  const { host, codes } = build()
  host.stdout.emit('error')
  t.strictSame(codes, [EXIT_SIGHUP])
})

t.test('takes two signals within half a second for one, by the clock of the process', async (t) => {
  const { host, codes } = build()
  host.removeAllListeners()
  onInterrupt(host)
  host.emit('SIGINT')
  host.emit('SIGINT')
  t.strictSame(codes, [])
})
