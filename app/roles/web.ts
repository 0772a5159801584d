import { RefusedSamples } from '../ingest/refused-samples.ts'
import { EventSender } from '../queue/event-sender.ts'
import { probeQueue } from '../queue/sqs-client.ts'
import { Lifecycle } from '../web/lifecycle.ts'
import { buildServer } from '../web/server.ts'
import { WEBHOOK_PATH } from '../web/webhook-path.ts'
import { createEnvironments, createRegionalSqs, SEND_MS } from '../wiring.ts'
import { defineRole } from './role.ts'

export const web = defineRole({
  requires: ['QUEUE_URL'],
  stopWithinMs: 30_000,
  async start({ config, log, metrics, activity, tracing }) {
    const refused =
      activity && new RefusedSamples({ put: (sample) => activity.putRefused(sample), log, clock: Date.now })
    const environments = createEnvironments(config, log)
    const sqs = await createRegionalSqs(SEND_MS)
    const sender = new EventSender({ sqs, queueUrl: config.QUEUE_URL, tracing })
    const lifecycle = new Lifecycle()
    const server = buildServer({
      log,
      environments,
      sender,
      lifecycle,
      probeQueue: () => probeQueue(sqs, config.QUEUE_URL),
      toleranceSeconds: config.SIGNATURE_TOLERANCE_SECONDS,
      bodyLimitBytes: config.BODY_LIMIT_BYTES,
      metrics,
      tracing,
      role: 'web',
      onRefused: (refusal) => refused?.offer(refusal),
      clock: Date.now
    })
    const url = await server.listen({ port: config.PORT, host: config.HOST })
    await environments.load()
    environments.startBackgroundRefresh()
    lifecycle.state = 'ready'
    log.info({ url, webhook: `${url}${WEBHOOK_PATH}` }, 'web is ready')
    return async () => {
      lifecycle.state = 'draining'
      environments.stop()
      await server.close()
      await sender.idle()
      await refused?.idle()
      sqs.destroy()
    }
  }
})
