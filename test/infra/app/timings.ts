import { pino } from 'pino'
import type { Test } from 'tap'
import { RETENTION_DAYS } from '../../../app/journal/journal-table.ts'
import { VISIBILITY_TIMEOUT_SECONDS } from '../../../app/queue/message-receiver.ts'
import { ROLES } from '../../../app/roles/roles.ts'
import { WORKER_GRACE_MS } from '../../../app/roles/worker.ts'
import { Lifecycle } from '../../../app/web/lifecycle.ts'
import { buildServer } from '../../../app/web/server.ts'
import { retryDelaySeconds } from '../../../app/worker/backoff.ts'
import { FAILOVER_CHECK, TIMINGS } from '../../../infra/timings.ts'
import type { Synthesis } from '../../support/templates.ts'

const seconds = Object.fromEntries(
  Object.entries(TIMINGS).map(([name, timing]) => [name, timing.seconds])
) as Record<keyof typeof TIMINGS, number>

/** What Fargate and SQS allow, in seconds. */
const FARGATE_STOP = 120
const SQS_HIDES = 12 * 3600

export function timings(t: Test, { plain, several }: Record<string, Synthesis>) {
  t.test('each time is what the code of the listener has', async (t) => {
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
        longestBackoff: retryDelaySeconds(100, 1),
        journalRetention: RETENTION_DAYS * 86_400
      },
      {
        webKeepAlive: seconds.webKeepAlive,
        webRequest: seconds.webRequest,
        webDrain: seconds.webDrain,
        workerDrain: seconds.workerDrain,
        workerGrace: seconds.workerGrace,
        visibility: seconds.visibility,
        longestBackoff: seconds.longestBackoff,
        journalRetention: seconds.journalRetention
      }
    )
  })

  t.test('each time is what the templates have', async (t) => {
    const { listener } = plain!
    const attributesOf = (type: string, name: string) =>
      Object.fromEntries(
        (listener.one(type).Properties[name] as unknown as { Key: string; Value: string }[]).map(
          ({ Key, Value }) => [Key, Number(Value)]
        )
      )
    const target = listener.one('ElasticLoadBalancingV2::TargetGroup').Properties
    const { HealthCheck, StopTimeout } = listener.container('Web')
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
        container: HealthCheck,
        grace: listener.one('ECS::Service', 'ServicesWeb').Properties.HealthCheckGracePeriodSeconds,
        stops: [StopTimeout, listener.container('Worker').StopTimeout],
        visibility: queues[0]?.VisibilityTimeout,
        retention: queues.map(({ MessageRetentionPeriod }) => MessageRetentionPeriod)
      },
      {
        idle: seconds.loadBalancerIdle,
        delay: seconds.deregistration,
        checks: [seconds.healthCheckInterval, seconds.healthCheckTimeout, 3],
        container: {
          Interval: seconds.healthCheckInterval,
          Timeout: seconds.healthCheckTimeout,
          StartPeriod: seconds.healthCheckGrace,
          Retries: 3
        },
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

  t.test('the times are in step', async (t) => {
    /** Each is shorter than the next. */
    const chains: Record<string, number[]> = {
      'an answer': [seconds.cloudinary, seconds.webRequest, seconds.loadBalancerIdle, seconds.webKeepAlive],
      'what is under way when a task goes': [seconds.cloudinary, seconds.deregistration],
      'the end of web': [seconds.webDrain, seconds.webStop, FARGATE_STOP],
      'the end of worker': [seconds.workerGrace, seconds.workerDrain, seconds.workerStop, FARGATE_STOP],
      'a health check': [seconds.healthCheckTimeout, seconds.healthCheckInterval, seconds.healthCheckGrace],
      'a retry': [seconds.visibility, seconds.longestBackoff, SQS_HIDES],
      'what is remembered': [2 * seconds.retention, seconds.journalRetention],
      'the failure of a region': [seconds.failover, 180]
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
