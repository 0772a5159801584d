import { Duration } from 'aws-cdk-lib'
import { Alarm, type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { AlarmBehavior, type DeploymentAlarmConfig } from 'aws-cdk-lib/aws-ecs'
import { HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { Construct } from 'constructs'
import { canaryMinutes } from './canary-minutes.ts'
import { listenerMetric } from './cloudwatch-metrics.ts'
import type { LoadBalancer } from './load-balancer.ts'
import { namesOf } from './resource-names.ts'
import type { Settings } from './settings.ts'

export interface DeploymentAlarmsProps {
  settings: Settings
  loadBalancer: LoadBalancer
}

/**
 * Period of the alarms. They evaluate one period, since ECS watches a release for about as long as its alarms
 * need to fire.
 */
const PERIOD = Duration.minutes(5)

/** Failures in a period below which a release is not rolled back: a few have other causes. */
const FEWEST = { responses: 5, attempts: 3 }

/**
 * Alarms that roll a release back, while it is deployed, although its tasks start. They notify nobody: those
 * of `Alarms` do. Created before the services, and never in alarm for missing data, so that they do not roll
 * back a first deployment (docs/decisions/0040).
 */
export class DeploymentAlarms extends Construct {
  readonly #settings: Settings
  readonly #web: Alarm
  readonly #worker: Alarm
  readonly #canary: Alarm | undefined

  constructor(scope: Construct, id: string, { settings, loadBalancer }: DeploymentAlarmsProps) {
    super(scope, id)
    this.#settings = settings
    this.#web = this.#create('Web', webFails(loadBalancer), 'Every fifth response of web has a 5xx status.')
    this.#worker = this.#create(
      'Worker',
      workerFails(settings),
      'A third of the attempts at events fails, while calls to Cloudinary succeed.'
    )
    const minutes = canaryMinutes(settings)
    this.#canary =
      minutes === undefined
        ? undefined
        : this.#create('Canary', canaryFails(settings, minutes), 'Canaries fail, and none ends.')
  }

  /** Returns the property of a service that rolls it back. */
  for(role: 'web' | 'worker'): DeploymentAlarmConfig {
    const alarms = [role === 'web' ? this.#web : this.#worker, ...(this.#canary ? [this.#canary] : [])]
    return {
      // a reference, so that CloudFormation creates the alarm first
      alarmNames: alarms.map(({ alarmName }) => alarmName),
      behavior: AlarmBehavior.ROLLBACK_ON_ALARM
    }
  }

  #create(of: string, metric: IMetric, meaning: string): Alarm {
    return new Alarm(this, of, {
      alarmName: namesOf(this.#settings.name).alarm(`Deployment${of}`),
      alarmDescription: `Rolls a release back while it is deployed. ${meaning}`,
      metric,
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING
    })
  }
}

function webFails({ targetGroup }: LoadBalancer): IMetric {
  return new MathExpression({
    label: '1: many responses are 5xx',
    period: PERIOD,
    expression: `IF(FILL(failed, 0) >= ${FEWEST.responses} AND FILL(failed, 0) * 5 >= FILL(requests, 0), 1, 0)`,
    usingMetrics: {
      failed: targetGroup.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { statistic: 'Sum' }),
      requests: targetGroup.metrics.requestCount({ statistic: 'Sum' })
    }
  })
}

/**
 * Returns a metric that is 1 if many attempts of `worker` fail while no breaker is open: in an outage of
 * Cloudinary an older release would fail too.
 */
function workerFails(settings: Settings): IMetric {
  const sum = (
    name: 'EventsRetried' | 'EventsDeadLettered' | 'MessagesNotHandled' | 'EventsProcessed' | 'EventsIgnored'
  ) => listenerMetric(settings, name, { Role: 'worker' }, { statistic: 'Sum' })
  const failed = 'FILL(retried, 0) + FILL(dead, 0) + FILL(unhandled, 0)'
  return new MathExpression({
    label: '1: many attempts fail',
    period: PERIOD,
    expression:
      `IF(${failed} >= ${FEWEST.attempts} AND (${failed}) * 2 >= FILL(processed, 0) + FILL(ignored, 0) ` +
      'AND FILL(breaker, 0) < 1, 1, 0)',
    usingMetrics: {
      retried: sum('EventsRetried'),
      dead: sum('EventsDeadLettered'),
      unhandled: sum('MessagesNotHandled'),
      processed: sum('EventsProcessed'),
      ignored: sum('EventsIgnored'),
      breaker: listenerMetric(settings, 'BreakerOpen', { Role: 'worker' }, { statistic: 'Maximum' })
    }
  })
}

/** Returns a metric that is 1 if canaries fail. Its period contains at least one canary. */
function canaryFails(settings: Settings, minutes: number): IMetric {
  const sum = (name: 'CanariesFailed' | 'CanariesEnded') =>
    listenerMetric(settings, name, { Role: 'canary' }, { statistic: 'Sum' })
  return new MathExpression({
    label: '1: canaries fail',
    period: Duration.minutes(Math.ceil((minutes + 5) / 5) * 5),
    expression: 'IF(FILL(failed, 0) >= 1 AND FILL(ended, 0) < 1, 1, 0)',
    usingMetrics: { failed: sum('CanariesFailed'), ended: sum('CanariesEnded') }
  })
}
