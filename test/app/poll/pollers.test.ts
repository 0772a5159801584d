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

t.test('starts one poller per cloud, also for clouds added later', async (t) => {
  const { calls, pollers } = build()
  pollers.start(['a', 'b'])
  pollers.start(['b', 'c', 'a'])
  t.strictSame(calls, ['start a', 'start b', 'start c'])
})

t.test('stops all pollers and starts none afterwards', async (t) => {
  const { calls, pollers } = build()
  pollers.start(['a', 'b'])
  await pollers.stop()
  pollers.start(['c'])
  t.strictSame(calls.slice(2), ['stop a', 'stop b'])
})
