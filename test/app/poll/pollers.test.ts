import t from 'tap'
import { Pollers } from '../../../app/poll/pollers.ts'

function build() {
  const calls: string[] = []
  const pollers = new Pollers((cloudName) => ({
    start: () => void calls.push(`start ${cloudName}`),
    stop: async () => void calls.push(`stop ${cloudName}`)
  }))
  return { calls, pollers }
}

t.test('each cloud has one poller, and one that is added later has its own', async (t) => {
  const { calls, pollers } = build()
  pollers.start(['a', 'b'])
  pollers.start(['b', 'c', 'a'])
  t.strictSame(calls, ['start a', 'start b', 'start c'])
})

t.test('all are stopped, and none is started any more', async (t) => {
  const { calls, pollers } = build()
  pollers.start(['a', 'b'])
  await pollers.stop()
  pollers.start(['c'])
  t.strictSame(calls.slice(2), ['stop a', 'stop b'])
})
