import t from 'tap'
import { buildWeb } from '../../support/web.ts'

t.test('/health is 200 whatever happens to the queue', async (t) => {
  const { app } = await buildWeb(t, { probeQueue: async () => Promise.reject(new Error('down')) })
  const answer = await app.inject('/health')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { status: 'alive' })
})

t.test('/ready is 200 while the queue answers', async (t) => {
  const { app } = await buildWeb(t)
  const answer = await app.inject('/ready')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { status: 'ready' })
})

t.test('/ready is 503 while starting and while draining', async (t) => {
  const { app, lifecycle } = await buildWeb(t)
  for (const state of ['starting', 'draining'] as const) {
    lifecycle.state = state
    const answer = await app.inject('/ready')
    t.equal(answer.statusCode, 503)
    t.strictSame(answer.json(), { status: state })
  }
})

t.test('/ready is 503 without a queue, and 200 again once it is back', async (t) => {
  let now = 0
  let reachable = false
  let probes = 0
  const { app } = await buildWeb(t, {
    clock: () => now,
    probeQueue: async () => {
      probes++
      if (!reachable) throw new Error('down')
    }
  })
  t.strictSame((await app.inject('/ready')).json(), { status: 'no queue' })
  reachable = true
  now = 4999
  t.equal((await app.inject('/ready')).statusCode, 503, 'the queue is asked every five seconds at most')
  t.equal(probes, 1)
  now = 5000
  t.equal((await app.inject('/ready')).statusCode, 200)
})
