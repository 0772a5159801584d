import { pino } from 'pino'
import type { Test } from 'tap'
import { VISIBILITY_TIMEOUT_SECONDS } from '../../../app/queue/message-receiver.ts'
import { WORKER_GRACE_MS } from '../../../app/roles/worker.ts'
import { Lifecycle } from '../../../app/web/lifecycle.ts'
import { buildServer } from '../../../app/web/server.ts'
import { retryDelaySeconds } from '../../../app/worker/backoff.ts'
import { FAILOVER_CHECK, TIMINGS } from '../../../infra/timings.ts'
import { ROLES } from '../../support/roles.ts'
import type { Synthesis } from '../../support/templates.ts'

const seconds = Object.fromEntries(
  Object.entries(TIMINGS).map(([name, timing]) => [name, timing.seconds])
) as Record<keyof typeof TIMINGS, number>

/** Maximum stop timeout of Fargate and visibility timeout of SQS, in seconds. */
const FARGATE_STOP = 120
const SQS_HIDES = 12 * 3600

export function timings(t: Test, { plain, several }: Record<string, Synthesis>) {
  t.test("timings equal those in the listener's code", async (t) => {
    const { server } = buildServer({
      log: pino({ level: 'silent' }),
      lifecycle: new Lifecycle(),
      probeQueue: async () => {},
      clock: Date.now
    } as unknown as Parameters<typeof buildServer>[0])
    t.strictSame(
      {
        webKeepAlive: server.keepAliveTimeout / 1000,
        webRequest: server.requestTimeout / 1000,
        webDrain: ROLES.web!.stopWithinMs / 1000,
        workerDrain: ROLES.worker!.stopWithinMs / 1000,
        workerGrace: WORKER_GRACE_MS / 1000,
        visibility: VISIBILITY_TIMEOUT_SECONDS,
        longestBackoff: retryDelaySeconds(100, 1)
      },
      {
        webKeepAlive: seconds.webKeepAlive,
        webRequest: seconds.webRequest,
        webDrain: seconds.webDrain,
        workerDrain: seconds.workerDrain,
        workerGrace: seconds.workerGrace,
        visibility: seconds.visibility,
        longestBackoff: seconds.longestBackoff
      }
    )
  })

  t.test('timings equal those in the templates', async (t) => {
    const { listener } = plain!
    const attributesOf = (type: string, name: string) =>
      Object.fromEntries(
        (listener.one(type).Properties[name] as unknown as { Key: string; Value: string }[]).map(
          ({ Key, Value }) => [Key, Number(Value)]
        )
      )
    const target = listener.one('ElasticLoadBalancingV2::TargetGroup').Properties
    const { StopTimeout } = listener.container('Web')
    const queues = ['QueuesQueueD', 'QueuesDeadLetterQueue8'].map(
      (id) => listener.one('SQS::Queue', id).Properties
    )
    t.match(
      {
        idle: attributesOf('ElasticLoadBalancingV2::LoadBalancer', 'LoadBalancerAttributes')[
          'idle_timeout.timeout_seconds'
        ],
        delay: attributesOf('ElasticLoadBalancingV2::TargetGroup', 'TargetGroupAttributes')[
          'deregistration_delay.timeout_seconds'
        ],
        checks: [
          target.HealthCheckIntervalSeconds,
          target.HealthCheckTimeoutSeconds,
          target.UnhealthyThresholdCount
        ],
        grace: listener.one('ECS::Service', 'ServicesWeb').Properties.HealthCheckGracePeriodSeconds,
        stops: [StopTimeout, listener.container('Worker').StopTimeout],
        visibility: queues[0]?.VisibilityTimeout,
        retention: queues.map(({ MessageRetentionPeriod }) => MessageRetentionPeriod)
      },
      {
        idle: seconds.loadBalancerIdle,
        delay: seconds.deregistration,
        checks: [seconds.healthCheckInterval, seconds.healthCheckTimeout, 3],
        grace: seconds.healthCheckGrace,
        stops: [seconds.webStop, seconds.workerStop],
        visibility: seconds.visibility,
        retention: [seconds.retention, seconds.retention]
      }
    )
    t.match(several!.listener.one('Route53::HealthCheck').Properties.HealthCheckConfig, {
      RequestInterval: FAILOVER_CHECK.interval,
      FailureThreshold: FAILOVER_CHECK.failures
    })
  })

  t.test('timings satisfy their constraints', async (t) => {
    /** Each time must be shorter than the next. */
    const chains: Record<string, number[]> = {
      'a request': [seconds.cloudinary, seconds.webRequest, seconds.loadBalancerIdle, seconds.webKeepAlive],
      'draining a task': [seconds.cloudinary, seconds.deregistration],
      'shutdown of web': [seconds.webDrain, seconds.webStop, FARGATE_STOP],
      'shutdown of worker': [seconds.workerGrace, seconds.workerDrain, seconds.workerStop, FARGATE_STOP],
      'a health check': [seconds.healthCheckTimeout, seconds.healthCheckInterval, seconds.healthCheckGrace],
      'a retry': [seconds.visibility, seconds.longestBackoff, SQS_HIDES],
      retention: [2 * seconds.retention, seconds.journalRetention],
      'failover of a region': [seconds.failover, 180]
    }
    for (const [what, chain] of Object.entries(chains)) {
      t.strictSame(
        chain,
        [...new Set(chain)].sort((one, other) => one - other),
        what
      )
    }
    const { interval, failures, recordTtl } = FAILOVER_CHECK
    t.equal(seconds.failover, interval * failures + recordTtl)
  })
}
