import t from 'tap'
import { combine } from '../../../dev/start/provided-service.ts'

t.test('combines environments and hints, refreshes in order and stops in reverse', async (t) => {
  const calls: string[] = []
  const provision = (name: string, isRefreshed = true) => ({
    environment: { [name]: 'set' },
    hints: [`see ${name}`],
    ...(isRefreshed && { refresh: async () => void calls.push(`refresh ${name}`) }),
    stop: async () => void calls.push(`stop ${name}`)
  })
  const { environment, hints, refresh, stop } = combine([provision('a'), provision('b', false)])
  t.strictSame(environment, { a: 'set', b: 'set' })
  t.strictSame(hints, ['see a', 'see b'])
  await refresh()
  await stop()
  t.strictSame(calls, ['refresh a', 'stop b', 'stop a'])
})

t.test('combines nothing', async (t) => {
  t.match(combine([]), { environment: {}, hints: [] })
})
