import type { Test } from 'tap'
import type { Resource, Synthesis, Template } from '../../support/templates.ts'

const alarmNamed = (template: Template, name: string): Resource =>
  template
    .all('CloudWatch::Alarm')
    .find(({ Properties }) => Properties.AlarmName === (`cloudinary-listener ${name}` as never))!

/** The names of the alarms that roll a service back. */
function alarmsOf(template: Template, role: string): string[] {
  const { Properties } = template.one('ECS::Service', `Services${role}`)
  const { Alarms } = Properties.DeploymentConfiguration as unknown as {
    Alarms?: { AlarmNames: { Ref: string }[]; Enable: boolean; Rollback: boolean }
  }
  if (!Alarms?.Enable || !Alarms.Rollback) return []
  return Alarms.AlarmNames.map(({ Ref }) => {
    const { Properties } = template.one('CloudWatch::Alarm', Ref)
    return String(Properties.AlarmName).replace('cloudinary-listener ', '')
  })
}

interface MetricPart {
  Id: string
  Expression?: string
  Period?: number
  MetricStat?: { Metric: { MetricName: string }; Period: number }
}

/** Computes an alarm's formula from the sums of a period. */
function resultOf({ Properties }: Resource, sums: Record<string, number>): number {
  const parts = Properties.Metrics as unknown as MetricPart[]
  const { Expression = '' } = parts.find((part) => part.Expression)!
  const names = parts.flatMap(({ Id, MetricStat }) => (MetricStat ? [Id] : []))
  const script = Expression.replaceAll(' AND ', ' && ')
  const IF = (condition: boolean, yes: number, no: number) => (condition ? yes : no)
  const FILL = (value: number | undefined, instead: number) => value ?? instead
  const compute = new Function('IF', 'FILL', ...names, `return ${script}`)
  return compute(IF, FILL, ...names.map((name) => sums[name]))
}

export function releases(t: Test, { plain, several }: Record<string, Synthesis>) {
  t.test('a release of web or worker whose tasks start but fail is rolled back', async (t) => {
    t.strictSame(alarmsOf(plain!.listener, 'Web'), ['DeploymentWeb'])
    t.strictSame(alarmsOf(plain!.listener, 'Worker'), ['DeploymentWorker'])
    for (const listener of Object.values(several!.listeners)) {
      t.strictSame(alarmsOf(listener, 'Web'), ['DeploymentWeb', 'DeploymentCanary'])
      t.strictSame(alarmsOf(listener, 'Worker'), ['DeploymentWorker', 'DeploymentCanary'])
    }
  })

  t.test(
    'a first deployment is not rolled back for missing data, and the alarms need no service',
    async (t) => {
      for (const name of ['DeploymentWeb', 'DeploymentWorker', 'DeploymentCanary']) {
        const alarm = alarmNamed(several!.listener, name)
        t.match(alarm.Properties, { TreatMissingData: 'notBreaching', EvaluationPeriods: 1 })
        t.equal(resultOf(alarm, {}), 0, 'without data')
        t.notMatch(JSON.stringify(alarm), /ServicesWeb|ServicesWorker/)
        t.notOk(alarm.Properties.AlarmActions, 'other alarms notify people')
      }
    }
  )

  t.test('DeploymentWeb fires for a fifth of the responses', async (t) => {
    const alarm = alarmNamed(plain!.listener, 'DeploymentWeb')
    t.equal(resultOf(alarm, { failed: 5, requests: 25 }), 1)
    t.equal(resultOf(alarm, { failed: 4, requests: 4 }), 0)
    t.equal(resultOf(alarm, { failed: 5, requests: 26 }), 0)
  })

  t.test(
    'DeploymentWorker fires for a third of the attempts, except in an outage of Cloudinary',
    async (t) => {
      const alarm = alarmNamed(plain!.listener, 'DeploymentWorker')
      t.equal(resultOf(alarm, { retried: 1, dead: 1, unhandled: 1 }), 1)
      t.equal(resultOf(alarm, { retried: 10, processed: 15, ignored: 5 }), 1)
      t.equal(resultOf(alarm, { retried: 10, processed: 21 }), 0)
      t.equal(resultOf(alarm, { retried: 2 }), 0)
      t.equal(resultOf(alarm, { retried: 100, breaker: 1 }), 0)
    }
  )

  t.test('DeploymentCanary fires if canaries fail and none ends, over at least one canary', async (t) => {
    const alarm = alarmNamed(several!.listener, 'DeploymentCanary')
    t.equal(resultOf(alarm, { failed: 1 }), 1)
    t.equal(resultOf(alarm, { failed: 1, ended: 1 }), 0)
    const parts = alarm.Properties.Metrics as unknown as MetricPart[]
    for (const { MetricStat } of parts) if (MetricStat) t.equal(MetricStat.Period, 600)
  })

  t.test('canary is off by default; it runs in each region', async (t) => {
    t.equal(plain!.listener.all('ECS::TaskDefinition', 'ServicesCanary').length, 0)
    t.notOk(alarmNamed(plain!.listener, 'CanaryMissing'))
    for (const listener of Object.values(several!.listeners)) {
      t.match(listener.one('Scheduler::Schedule', 'ServicesCanary').Properties, {
        ScheduleExpression: 'rate(5 minutes)',
        Target: {
          EcsParameters: {
            TaskDefinitionArn: { Ref: /^ServicesCanaryTask/ },
            NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } }
          },
          RetryPolicy: { MaximumRetryAttempts: 0 }
        }
      })
      t.strictSame(listener.container('Canary').Command, ['canary'])
    }
  })

  t.test('an alarm fires if canaries fail, and another if none ends or none runs', async (t) => {
    t.match(alarmNamed(several!.listener, 'CanaryFailed').Properties, {
      MetricName: 'CanariesFailed',
      Period: 300,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      TreatMissingData: 'notBreaching'
    })
    t.match(alarmNamed(several!.listener, 'CanaryMissing').Properties, {
      MetricName: 'CanariesEnded',
      ComparisonOperator: 'LessThanThreshold',
      EvaluationPeriods: 3,
      TreatMissingData: 'breaching'
    })
  })
}
