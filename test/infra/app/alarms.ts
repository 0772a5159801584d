import type { Test } from 'tap'
import { WEBHOOK_PATH } from '../../../app/web/webhook-path.ts'
import { DEFAULT_TRAFFIC } from '../../../dev/cost/traffic.ts'
import type { Synthesis, Template } from '../../support/templates.ts'

interface Metric {
  Namespace: string
  MetricName: string
  Dimensions?: { Name: string; Value: unknown }[]
}

interface Alarm extends Metric {
  AlarmName: string
  Threshold: number
  EvaluationPeriods: number
  AlarmActions: unknown[]
  OKActions: unknown[]
  Metrics?: { MetricStat?: { Metric: Metric } }[]
}

/** The alarms that notify people; those for scaling have no topic. */
const alarmsOf = (template: Template) =>
  template.all('CloudWatch::Alarm', 'Alarms').map(({ Properties }) => {
    const alarm = Properties as unknown as Alarm
    const parts = (alarm.Metrics ?? []).flatMap(({ MetricStat }) => MetricStat?.Metric ?? [])
    return {
      ...alarm,
      name: alarm.AlarmName.replace('cloudinary-listener ', ''),
      metrics: parts.length > 0 ? parts : [alarm as Metric]
    }
  })

const dimensionOf = ({ Dimensions = [] }: Metric, dimension: string) =>
  Dimensions.find(({ Name }) => Name === dimension)?.Value

export function alarms(t: Test, all: Record<string, Synthesis>) {
  const each = Object.entries(all).flatMap(([name, { settings, listeners, home }]) =>
    Object.entries(listeners).map(([region, template]) => ({
      name: `${name}, ${region}`,
      settings,
      region,
      template,
      polls: template === home && settings.pollChannel !== undefined,
      alarms: alarmsOf(template)
    }))
  )
  const named = (alarms: ReturnType<typeof alarmsOf>, name: string) =>
    alarms.find((alarm) => alarm.name === name)

  t.test('every refusal that loses a notification has an alarm', async (t) => {
    for (const { name, alarms } of each) {
      const reasons = alarms
        .flatMap(({ metrics }) => metrics)
        .filter(({ MetricName }) => MetricName === 'NotificationsRefused')
        .map((metric) => dimensionOf(metric, 'Reason'))
      for (const reason of ['EVENT_TOO_LARGE', 'BODY_TOO_LARGE', 'SIGNATURE_MISSING', 'SIGNATURE_INVALID']) {
        t.ok(reasons.includes(reason), `${name}: ${reason}`)
      }
      t.equal(named(alarms, 'RefusedTooLarge')?.Threshold, 1, name)
    }
  })

  t.test('a request to the webhook that the firewall blocks has an alarm', async (t) => {
    for (const { name, template, alarms } of each) {
      const { Properties } = template.one('Logs::MetricFilter')
      const [transformation] = Properties.MetricTransformations as unknown as {
        MetricNamespace: string
        MetricName: string
        MetricValue: string
      }[]
      t.match(Properties.LogGroupName, { Ref: /^FirewallLog/ }, name)
      t.match(Properties.FilterPattern, `$.httpRequest.uri = "${WEBHOOK_PATH}*"`, name)
      t.match(
        named(alarms, 'FirewallBlocksWebhook'),
        { Namespace: transformation?.MetricNamespace, MetricName: transformation?.MetricName, Threshold: 1 },
        name
      )
    }
  })

  t.test('poll has alarms wherever it runs, and nowhere else', async (t) => {
    t.ok(each.some(({ polls }) => polls))
    for (const { name, polls, alarms } of each) {
      const ofPoll = alarms.filter(({ metrics }) =>
        metrics.some(
          (metric) =>
            dimensionOf(metric, 'Role') === 'poll' ||
            JSON.stringify(dimensionOf(metric, 'ServiceName') ?? '').includes('Poll')
        )
      )
      t.strictSame(
        ofPoll.map((alarm) => alarm.name),
        polls ? ['NoPoll', 'PollFailing', 'PollRefused'] : [],
        name
      )
    }
  })

  t.test('throttled calls of the journal have an alarm, for every call that a role makes', async (t) => {
    for (const { name, template, alarms } of each) {
      const watched = alarms
        .flatMap(({ metrics }) => metrics)
        .filter(({ MetricName }) => MetricName === 'ThrottledRequests')
        .map((metric) => dimensionOf(metric, 'Operation'))
      const policies = JSON.stringify(
        template.all('IAM::Policy').filter(({ id }) => /(Web|Worker|Poll)Task/.test(id))
      )
      for (const [, call] of policies.matchAll(/"dynamodb:(\w+Item|Query)"/g))
        t.ok(watched.includes(call), `${name}: ${call}`)
    }
  })

  t.test('tasks at their maximum have an alarm, unless their number is fixed', async (t) => {
    for (const { name, settings, alarms } of each) {
      for (const role of ['web', 'worker'] as const) {
        const { minimumTasks, maximumTasks } = settings[role]
        const alarm = named(alarms, role === 'web' ? 'WebAtMaximum' : 'WorkerAtMaximum')
        if (minimumTasks === maximumTasks) t.equal(alarm, undefined, `${name}, ${role}`)
        else t.match(alarm, { Threshold: maximumTasks, EvaluationPeriods: 3 }, `${name}, ${role}`)
      }
    }
  })

  t.test("alarms go to the region's own topic, or to an existing one", async (t) => {
    for (const { name, settings, region, template, alarms } of each) {
      const existing = settings.alarmTopicArns[region]
      const topic = existing ? [existing] : [{ Ref: /^AlarmTopic/ }]
      for (const { name: alarm, AlarmActions, OKActions } of alarms) {
        t.match(AlarmActions, topic, `${name}, ${alarm}`)
        t.match(OKActions, topic, `${name}, ${alarm}`)
      }
      t.equal(template.all('SNS::Topic', 'AlarmTopic').length, existing ? 0 : 1, name)
      for (const rule of template.all('Events::Rule'))
        t.match(rule.Properties.Targets, [{ Arn: topic[0] }], name)
    }
    t.ok(each.some(({ settings, region }) => settings.alarmTopicArns[region]))
  })

  t.test('a synthesis without an alarm address warns, and no other', async (t) => {
    for (const [name, { settings, warnings }] of Object.entries(all)) {
      const silent = settings.regions.filter(
        (region) => settings.alarmEmails.length === 0 && !settings.alarmTopicArns[region]
      )
      const ids = warnings.filter((text) => text.includes('cloudinary-listener:no-alarm-address'))
      t.equal(ids.length, silent.length, name)
    }
  })

  t.test('docs/cost.md counts the metrics of all alarms, and the metrics of its own', async (t) => {
    const metricsOf = (template: Template) => {
      const alarms = template
        .all('CloudWatch::Alarm')
        .map(
          ({ Properties }) =>
            ((Properties.Metrics ?? []) as unknown as object[]).filter((part) => 'MetricStat' in part)
              .length || 1
        )
      // target tracking creates two alarms
      const tracking = template
        .all('ApplicationAutoScaling::ScalingPolicy')
        .map(({ Properties }) => JSON.stringify(Properties.TargetTrackingScalingPolicyConfiguration ?? ''))
        .map((text) => 2 * [...text.matchAll(/"MetricStat"|"PredefinedMetricType"/g)].length)
      return [...alarms, ...tracking].reduce((sum, count) => sum + count, 0)
    }
    const { plain, sealed } = all
    t.equal(DEFAULT_TRAFFIC.alarmMetrics, metricsOf(plain!.listener))
    const ofActivity = sealed!.listener
      .all('CloudWatch::Alarm', 'Alarms')
      .filter(({ Properties }) => /Activity/.test(String(Properties.AlarmName)))
    t.equal(DEFAULT_TRAFFIC.activityAlarmMetrics, ofActivity.length + 1, 'one of the three has two metrics')
  })
}
