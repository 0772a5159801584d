import t from 'tap'
import { SERVING_PATH } from '../../../app/web/health-routes.ts'
import { buildWeb } from '../../support/web.ts'

t.test('/health is 200 without a queue', async (t) => {
  const { app } = await buildWeb(t, { probeQueue: async () => Promise.reject(new Error('down')) })
  const answer = await app.inject('/health')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { status: 'alive' })
})

t.test('/ready is 200 while the queue responds', async (t) => {
  const { app } = await buildWeb(t)
  const answer = await app.inject('/ready')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { status: 'ready' })
})

t.test('/ready is 503 with and without the queue while starting and while draining', async (t) => {
  const { app, lifecycle } = await buildWeb(t)
  for (const state of ['starting', 'draining'] as const) {
    lifecycle.state = state
    for (const path of ['/ready', SERVING_PATH]) {
      const answer = await app.inject(path)
      t.equal(answer.statusCode, 503)
      t.strictSame(answer.json(), { status: state })
    }
  }
})

t.test('/ready?queue=ignore does not ask the queue', async (t) => {
  let probes = 0
  const { app } = await buildWeb(t, {
    probeQueue: async () => {
      probes++
      throw new Error('down')
    }
  })
  const answer = await app.inject(SERVING_PATH)
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { status: 'ready' })
  t.equal(probes, 0)
})

t.test('/ready is 503 without a queue, and 200 after it is back', async (t) => {
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
  t.equal((await app.inject('/ready')).statusCode, 503, 'probes the queue at most every five seconds')
  t.equal(probes, 1)
  now = 5000
  t.equal((await app.inject('/ready')).statusCode, 200)
})

t.test('limits the requests that wait at /ready', async (t) => {
  const answer = Promise.withResolvers<void>()
  const { app } = await buildWeb(t, { probeQueue: () => answer.promise })
  const waiting = Array.from({ length: 100 }, async () => app.inject('/ready'))
  const beyond = await app.inject('/ready')
  t.equal(beyond.statusCode, 503)
  t.strictSame(beyond.json(), { status: 'busy' })
  answer.resolve()
  for (const { statusCode } of await Promise.all(waiting)) t.equal(statusCode, 200)
  t.equal((await app.inject('/ready')).statusCode, 200)
})

t.test('/health and /ready are 503 if the task must be replaced', async (t) => {
  let now = 0
  const { app, post } = await buildWeb(t, {
    clock: () => now,
    sender: { pendingBytes: Number.POSITIVE_INFINITY, store: async () => {} }
  })
  for (; now <= 60_000; now += 30_000) await post('{}')
  for (const path of ['/health', '/ready', SERVING_PATH]) {
    const answer = await app.inject(path)
    t.equal(answer.statusCode, 503)
    t.strictSame(answer.json(), { status: 'refusing everything' })
  }
})
