import { setTimeout as pause } from 'node:timers/promises'
import { Ingest } from '../ingest/ingest.ts'
import { Poller } from '../poll/poller.ts'
import { Pollers } from '../poll/pollers.ts'
import { EventSender } from '../queue/event-sender.ts'
import { createClients, createMetrics, createRegionalSqs, loadEnvironments, SEND_MS } from '../wiring.ts'
import { defineRole } from './role.ts'

/** How long the queue may take to store a notification from a poll channel, in milliseconds. */
const STORE_MS = 8000

export const poll = defineRole({
  summary: 'pulls notifications from a Cloudinary poll channel, where Cloudinary cannot reach web',
  requires: ['QUEUE_URL', 'POLL_CHANNEL'],
  stopWithinMs: 30_000,
  async start({ config, log, write }) {
    const metrics = createMetrics('poll', config, { log, write })
    const channel = config.POLL_CHANNEL
    const sqs = await createRegionalSqs(SEND_MS)
    const sender = new EventSender({ sqs, queueUrl: config.QUEUE_URL })
    const environments = await loadEnvironments(config, log)
    const clients = createClients(environments, log)
    metrics.gauge('BreakerOpen', () => Number(clients.isAnyStopped))
    const ingest = new Ingest({
      environments,
      sender,
      // no maximum age: an attacker who replays a notification cannot put it into the channel
      toleranceSeconds: Number.POSITIVE_INFINITY,
      metrics,
      clock: Date.now,
      storeTimeoutMs: STORE_MS
    })
    const pollers = new Pollers(
      (cloudName) =>
        new Poller({
          channel,
          ingest,
          connect: (signal) => clients.for(cloudName, signal),
          log: log.child({ cloudName, channel }),
          metrics,
          sleep: (milliseconds, signal) => pause(milliseconds, undefined, { signal }).catch(() => {})
        })
    )
    pollers.start(environments.cloudNames())
    environments.startBackgroundRefresh(() => pollers.start(environments.cloudNames()))
    metrics.start()
    log.info({ channel, clouds: environments.cloudNames() }, 'poll is ready')
    return async () => {
      await pollers.stop()
      environments.stop()
      clients.close()
      await sender.idle()
      metrics.stop()
      sqs.destroy()
    }
  }
})
