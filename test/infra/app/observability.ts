import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { METRICS } from '../../../app/metrics/metric-names.ts'
import { ERROR_QUERY, LOG_DASHBOARD_QUERIES } from '../../../infra/log-queries.ts'
import type { Resource, Synthesis, Template } from '../../support/templates.ts'

interface Metric {
  Namespace: string
  MetricName: string
  Dimensions?: { Name: string; Value: unknown }[]
}

/** The alarms that notify people, by name; those for scaling have no topic. */
const alarmsOf = (template: Template) =>
  Object.fromEntries(
    template
      .all('CloudWatch::Alarm', 'Alarms')
      .map((alarm): [string, Resource['Properties']] => [
        String(alarm.Properties.AlarmName).replace('cloudinary-listener ', ''),
        alarm.Properties
      ])
  )

/** The JSON of a dashboard, which the template joins from parts. */
const bodyOf = (properties: Resource['Properties']) =>
  JSON.stringify(properties.DashboardBody).replaceAll('\\\\', '').replaceAll('\\"', '"')

const titlesIn = (body: string) => [...body.matchAll(/"title":"([^"]*)"/g)].map(([, title]) => title)

export function observability(t: Test, { plain, several, bespoke }: Record<string, Synthesis>) {
  t.test('alarms have the documented metrics and thresholds', async (t) => {
    const alarms = alarmsOf(plain!.listener)
    t.match(alarms, {
      OldestMessage: { Threshold: 900, EvaluationPeriods: 3, DatapointsToAlarm: 1 },
      DeadLetters: { MetricName: 'ApproximateNumberOfMessagesVisible', Threshold: 1, EvaluationPeriods: 1 },
      ServerErrors: { Threshold: 5 },
      RefusedSignatures: { Threshold: 10 },
      NoHealthyWeb: {
        MetricName: 'HealthyHostCount',
        Threshold: 1,
        ComparisonOperator: 'LessThanThreshold',
        TreatMissingData: 'breaching'
      },
      NoWorker: { MetricName: 'RunningTaskCount', Threshold: 1, TreatMissingData: 'breaching' },
      BreakerOpen: { MetricName: 'BreakerOpen', Threshold: 1 },
      ReconcileNotStarted: { Namespace: 'AWS/Scheduler', MetricName: 'TargetErrorCount', Threshold: 1 },
      FirewallRate: { MetricName: 'BlockedRequests', Threshold: 1 }
    })
    t.notOk('NoWorker' in alarmsOf(bespoke!.listener), 'worker may scale to zero')
    t.notOk('ReconcileNotStarted' in alarmsOf(bespoke!.listener), 'reconcile is not scheduled')
  })

  t.test('OldestMessage covers waiting and retried events', async (t) => {
    const metrics = alarmsOf(plain!.listener).OldestMessage?.Metrics as unknown as {
      Expression?: string
      MetricStat?: { Metric: Metric; Stat: string }
    }[]
    t.match(metrics, [
      {
        Expression:
          'IF(FILL(waiting, 0) * 1000 > FILL(retried, 0), FILL(waiting, 0), FILL(retried, 0) / 1000)'
      },
      { MetricStat: { Metric: { MetricName: 'ApproximateAgeOfOldestMessage' }, Stat: 'Maximum' } },
      { MetricStat: { Metric: { MetricName: 'RetriedEventAge' }, Stat: 'Maximum' } }
    ])
  })

  t.test('each alarm notifies the topic on failure and recovery, and people subscribe to it', async (t) => {
    for (const [name, { AlarmActions, OKActions }] of Object.entries(alarmsOf(several!.listener))) {
      t.match(AlarmActions, [{ Ref: /^AlarmTopic/ }], name)
      t.match(OKActions, [{ Ref: /^AlarmTopic/ }], name)
    }
    t.match(
      several!.listener.all('SNS::Subscription', 'AlarmTopic').map(({ Properties }) => Properties.Endpoint),
      ['oncall@example.com']
    )
  })

  t.test('a reconcile that fails or does not start is reported', async (t) => {
    const rules = several!.home.all('Events::Rule')
    const rule = rules.find((each) => JSON.stringify(each).includes('ServicesReconcileTask'))!
    const { EventPattern, Targets } = rule.Properties
    t.match(EventPattern, {
      source: ['aws.ecs'],
      detail: {
        taskDefinitionArn: [{ Ref: /^ServicesReconcileTask/ }],
        lastStatus: ['STOPPED'],
        $or: [{ containers: { exitCode: [{ 'anything-but': [0] }] } }, { stopCode: ['TaskFailedToStart'] }]
      }
    })
    t.match(Targets, [{ Arn: { Ref: /^AlarmTopic/ } }])
    t.match(JSON.stringify(Targets), 'ReconcileFailed')
    t.match(readFileSync('docs/operations.md', 'utf8'), '\n| `ReconcileFailed` | ')
    t.equal(bespoke!.listener.all('Events::Rule').length, 0)
  })

  t.test('each alarm has a row in docs/operations.md', async (t) => {
    const document = readFileSync('docs/operations.md', 'utf8')
    const alarms = { ...alarmsOf(plain!.listener), ...alarmsOf(several!.home) }
    for (const [name, { AlarmDescription }] of Object.entries(alarms)) {
      t.match(AlarmDescription, `docs/operations.md, "Alarms", ${name}`)
      t.match(document, `\n| \`${name}\` | `)
    }
  })

  t.test("alarms use the listener's metrics with the dimensions that it writes", async (t) => {
    const namespace = 'cloudinary-listener'
    const { Environment } = plain!.listener.container('Worker')
    const given = Environment as unknown as { Name: string; Value: string }[]
    t.equal(given.find(({ Name }) => Name === 'METRICS_NAMESPACE')?.Value, namespace)
    const inAlarms = several!.home.all('CloudWatch::Alarm', 'Alarms').flatMap(({ Properties }) => {
      const parts = (Properties.Metrics ?? []) as unknown as { MetricStat?: { Metric: Metric } }[]
      return [Properties as unknown as Metric, ...parts.flatMap(({ MetricStat }) => MetricStat?.Metric ?? [])]
    })
    const own = inAlarms.filter(({ Namespace }) => Namespace === namespace)
    t.strictSame([...new Set(own.map(({ MetricName }) => MetricName))].sort(), [
      'BreakerOpen',
      'CanariesEnded',
      'CanariesFailed',
      'NotificationsRefused',
      'PollFailures',
      'PollMessagesFlawed',
      'RetriedEventAge'
    ])
    for (const { MetricName, Dimensions = [] } of own) {
      const sets: readonly (readonly string[])[] = METRICS[MetricName as keyof typeof METRICS].dimensions
      const names = Dimensions.map(({ Name }) => Name).sort()
      t.ok(
        sets.some((set) => JSON.stringify([...set].sort()) === JSON.stringify(names)),
        `${MetricName} by ${names}`
      )
    }
  })

  t.test(
    'the overview dashboard has alarms first, then metrics, then errors, and only existing metrics',
    async (t) => {
      const { Properties } = plain!.listener.one('CloudWatch::Dashboard', 'Overview')
      t.equal(Properties.DashboardName, 'cloudinary-listener-us-east-1')
      const body = bodyOf(Properties)
      const titles = titlesIn(body)
      t.match([titles.length, titles[0], titles.at(-1)], [11, 'Alarms', ERROR_QUERY.title])
      const names = [...body.matchAll(/"cloudinary-listener","(\w+)"/g)].map(([, name]) => String(name))
      t.ok(names.length > 8)
      for (const name of names) t.ok(Object.hasOwn(METRICS, name), name)
    }
  )

  t.test('the log dashboard has all its queries, over existing log groups', async (t) => {
    const { Properties } = plain!.listener.one('CloudWatch::Dashboard', 'Activity')
    t.equal(Properties.DashboardName, 'cloudinary-listener-activity-us-east-1')
    const body = bodyOf(Properties)
    t.strictSame(
      titlesIn(body),
      LOG_DASHBOARD_QUERIES.map(({ title }) => title)
    )
    const groups = plain!.listener
      .all('Logs::LogGroup')
      .map(({ Properties }) => String(Properties.LogGroupName))
    for (const [, group = ''] of body.matchAll(/SOURCE '([^']*)'/g)) t.ok(groups.includes(group), group)
  })

  t.test('every log group expires its lines', async (t) => {
    const groups = several!.home.all('Logs::LogGroup')
    t.ok(groups.length >= 7)
    for (const { id, Properties } of groups) t.equal(Properties.RetentionInDays, 90, id)
  })
}
