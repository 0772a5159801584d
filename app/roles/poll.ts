import { setTimeout as pause } from 'node:timers/promises'
import { Ingest } from '../ingest/ingest.ts'
import { Poller } from '../poll/poller.ts'
import { Pollers } from '../poll/pollers.ts'
import { EventSender } from '../queue/event-sender.ts'
import { createClients, createRegionalSqs, loadEnvironments, SEND_MS } from '../wiring.ts'
import { defineRole } from './role.ts'

export const poll = defineRole({
  requires: ['QUEUE_URL', 'POLL_CHANNEL'],
  stopWithinMs: 30_000,
  async start({ config, log, metrics, tracing }) {
    const channel = config.POLL_CHANNEL
    const sqs = await createRegionalSqs(SEND_MS)
    const sender = new EventSender({ sqs, queueUrl: config.QUEUE_URL, tracing })
    const environments = await loadEnvironments(config, log)
    const clients = createClients(environments, log)
    metrics.gauge('BreakerOpen', () => Number(clients.isAnyBreakerOpen))
    const ingest = new Ingest({
      environments,
      sender,
      // no maximum age: an attacker cannot replay a notification into the channel
      toleranceSeconds: Number.POSITIVE_INFINITY,
      metrics,
      role: 'poll',
      clock: Date.now
    })
    const pollers = new Pollers(
      (cloudName) =>
        new Poller({
          channel,
          ingest,
          connect: (signal) => clients.for(cloudName, signal),
          log: log.child({ cloudName, channel }),
          metrics,
          ...(tracing && { tracing }),
          sleep: (milliseconds, signal) => pause(milliseconds, undefined, { signal }).catch(() => {})
        })
    )
    pollers.start(environments.cloudNames())
    environments.startBackgroundRefresh(() => pollers.start(environments.cloudNames()))
    log.info({ channel, clouds: environments.cloudNames() }, 'poll is ready')
    return async () => {
      await pollers.stop()
      environments.stop()
      clients.close()
      await sender.idle()
      sqs.destroy()
    }
  }
})
