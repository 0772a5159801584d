import type { Test } from 'tap'
import type { Synthesis, Template } from '../../support/templates.ts'

const ROLES = ['Web', 'Worker', 'Operator', 'Reconcile', 'Poll', 'Activity', 'Canary']

const secretsOf = (template: Template, role: string) =>
  ((template.container(role).Secrets ?? []) as unknown as { Name: string; ValueFrom: unknown }[]).map(
    ({ Name }) => Name
  )

export function services(t: Test, all: Record<string, Synthesis>) {
  const { plain, several, trial, bespoke } = all
  t.test('every task is not root, without capabilities, on a read-only file system', async (t) => {
    for (const role of ROLES) {
      t.match(
        several!.home.container(role),
        {
          User: '1000:1000',
          ReadonlyRootFilesystem: true,
          LinuxParameters: { Capabilities: { Drop: ['ALL'], Add: undefined }, InitProcessEnabled: true },
          Privileged: undefined
        },
        role
      )
    }
  })

  t.test('all roles use one image, for arm64 or x86', async (t) => {
    const images = ROLES.map((role) => JSON.stringify(several!.home.container(role).Image))
    t.equal(new Set(images).size, 1)
    const architecture = ({ listener }: Synthesis) =>
      listener.one('ECS::TaskDefinition', 'ServicesWebTask').Properties.RuntimePlatform
    t.match(architecture(plain!), { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' })
    t.match(architecture(trial!), { CpuArchitecture: 'X86_64' })
  })

  t.test("each task runs its role's command and logs to its role's group", async (t) => {
    for (const [role, command] of Object.entries({
      Web: 'web',
      Worker: 'worker',
      Operator: 'doctor',
      Reconcile: 'reconcile',
      Poll: 'poll',
      Activity: 'activity'
    })) {
      const { Command, LogConfiguration } = several!.home.container(role)
      t.strictSame(Command, [command])
      t.match(LogConfiguration, {
        LogDriver: 'awslogs',
        Options: { 'awslogs-group': { Ref: new RegExp(`^Services${role}Log`) } }
      })
      t.match(several!.home.one('Logs::LogGroup', `Services${role}Log`).Properties, {
        LogGroupName: `/cloudinary-listener/${role.toLowerCase()}`,
        RetentionInDays: 90
      })
    }
  })

  t.test(
    'web and activity have a port, which the load balancer checks; no check runs in a task',
    async (t) => {
      for (const [name, { listeners }] of Object.entries(all)) {
        for (const listener of Object.values(listeners)) {
          for (const { id, Properties } of listener.all('ECS::TaskDefinition')) {
            const containers = Properties.ContainerDefinitions as unknown as Record<string, unknown>[]
            const listens = /^Services(Web|Activity)Task/.test(id)
            for (const { HealthCheck, PortMappings } of containers) {
              t.equal(HealthCheck, undefined, `${name}, ${id}`)
              t.match(PortMappings, listens ? [{ ContainerPort: 8080 }] : undefined, `${name}, ${id}`)
            }
            if (!listens) continue
            const role = /^Services(Web|Activity)/.exec(id)![1]
            t.match(listener.one('ECS::Service', `Services${role}`).Properties, {
              LoadBalancers: [{ ContainerPort: 8080, TargetGroupArn: { Ref: new RegExp(`^Entry${role}`) } }],
              HealthCheckGracePeriodSeconds: 60
            })
          }
        }
      }
      t.equal(plain!.listener.container('Web').StopTimeout, 35)
      t.equal(plain!.listener.container('Web').Memory, 1024, 'the container has a memory limit of its own')
    }
  )

  t.test(
    'a release that does not start is rolled back, and old tasks stay until new ones are healthy',
    async (t) => {
      for (const role of ['Web', 'Worker', 'Poll', 'Activity']) {
        t.match(several!.home.one('ECS::Service', `Services${role}`).Properties, {
          DeploymentConfiguration: {
            DeploymentCircuitBreaker: { Enable: true, Rollback: true },
            MinimumHealthyPercent: 100,
            MaximumPercent: 200
          },
          EnableExecuteCommand: undefined
        })
      }
    }
  )

  t.test('activity is off by default; it runs in each region, with the password of its secret', async (t) => {
    t.equal(plain!.listener.all('ECS::TaskDefinition', 'ServicesActivity').length, 0)
    for (const listener of Object.values(several!.listeners)) {
      const { Properties } = listener.one('ECS::Service', 'ServicesActivity')
      t.match(Properties, {
        DesiredCount: 1,
        LoadBalancers: [{ ContainerPort: 8080, TargetGroupArn: { Ref: /^EntryActivity/ } }]
      })
      t.strictSame(secretsOf(listener, 'Activity'), ['ACTIVITY_PASSWORD'])
      t.match(JSON.stringify(listener.container('Activity').Secrets), 'secret:cloudinary-listener/activity')
      t.notMatch(secretsOf(listener, 'Worker').join(), 'ACTIVITY_PASSWORD')
      t.match(listener.outputs.ActivityPageUrl, { Value: 'https://hooks.example.com/activity' })
    }
  })

  t.test('tasks start after their routes, endpoints, policies and database', async (t) => {
    const waits = ({ listener }: Synthesis, parts: RegExp[]) => {
      const { DependsOn = [] } = listener.one('ECS::Service', 'ServicesWorker')
      for (const part of parts) t.ok(DependsOn.join(' ').match(part), String(part))
    }
    waits(plain!, [/NATGateway/, /VpcSqs/, /VpcSecretsManager/, /privateSubnet1DefaultRoute/])
    const { id } = plain!.listener.one('ECS::ClusterCapacityProviderAssociations')
    waits(plain!, [/WorkerTaskTaskRoleDefaultPolicy/, /WorkerTaskExecutionRoleDefaultPolicy/, new RegExp(id)])
    waits(trial!, [/DatabaseClusterWriter/])
  })

  t.test('web scales on requests and CPU, from two tasks', async (t) => {
    const { listener } = plain!
    t.match(listener.one('ApplicationAutoScaling::ScalableTarget', 'ServicesWeb').Properties, {
      MinCapacity: 2,
      MaxCapacity: 10
    })
    t.match(
      listener
        .all('ApplicationAutoScaling::ScalingPolicy', 'ServicesWeb')
        .map(({ Properties }) => Properties.TargetTrackingScalingPolicyConfiguration),
      [
        {
          PredefinedMetricSpecification: { PredefinedMetricType: 'ALBRequestCountPerTarget' },
          TargetValue: 6000
        },
        {
          PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' },
          TargetValue: 60
        }
      ]
    )
  })

  t.test(
    'worker scales on the backlog of each task, and on the age of the oldest message while others wait',
    async (t) => {
      const { listener } = plain!
      t.match(listener.one('ApplicationAutoScaling::ScalableTarget', 'ServicesWorker').Properties, {
        MinCapacity: 1,
        MaxCapacity: 20
      })
      const { TargetValue, CustomizedMetricSpecification } = listener.one(
        'ApplicationAutoScaling::ScalingPolicy',
        'ServicesWorkerScalingBacklog'
      ).Properties.TargetTrackingScalingPolicyConfiguration as unknown as Record<
        string,
        { Metrics: object[] }
      >
      t.equal(TargetValue, 500)
      t.match(CustomizedMetricSpecification?.Metrics, [
        { Id: 'visible', MetricStat: { Metric: { MetricName: 'ApproximateNumberOfMessagesVisible' } } },
        { Id: 'hidden', MetricStat: { Metric: { MetricName: 'ApproximateNumberOfMessagesNotVisible' } } },
        { Id: 'desired', MetricStat: { Metric: { MetricName: 'DesiredTaskCount' } } },
        { Id: 'tracked', Expression: /visible.*hidden.*desired/, ReturnData: true }
      ])
      const alarm = listener.all('CloudWatch::Alarm').find(({ id }) => id.includes('OldestUpper'))
      t.match(alarm?.Properties, { Threshold: 120, EvaluationPeriods: 2 })
      t.match(alarm?.Properties.Metrics, [
        { Expression: 'IF(visible > 50 AND FILL(busy, 100) > 50, oldest, 0)' }
      ])
    }
  )

  t.test('worker can scale to zero, and the first message starts a task', async (t) => {
    const { listener } = bespoke!
    t.match(listener.one('ApplicationAutoScaling::ScalableTarget', 'ServicesWorker').Properties, {
      MinCapacity: 0
    })
    const alarm = listener.all('CloudWatch::Alarm').find(({ id }) => id.includes('WakeUpper'))
    t.match(alarm?.Properties, { Threshold: 1 })
    t.match(alarm?.Properties.Metrics, [
      { Expression: 'IF(FILL(desired, 0) < 1 AND FILL(busy, -1) < 0, visible, 0)' }
    ])
    t.notOk(plain!.listener.all('CloudWatch::Alarm').some(({ id }) => id.includes('Wake')))
  })

  t.test('spot adds Fargate Spot beyond the minimum number of tasks', async (t) => {
    const strategy = ({ listener }: Synthesis) =>
      listener.one('ECS::Service', 'ServicesWorker').Properties.CapacityProviderStrategy
    t.strictSame(strategy(several!), [
      { Base: 2, CapacityProvider: 'FARGATE', Weight: 1 },
      { CapacityProvider: 'FARGATE_SPOT', Weight: 3 }
    ])
    t.strictSame(strategy(plain!), [{ CapacityProvider: 'FARGATE', Weight: 1 }])
  })

  t.test('reconcile runs every hour in one region only, and so does poll if enabled', async (t) => {
    t.match(plain!.listener.one('Scheduler::Schedule').Properties, {
      ScheduleExpression: 'rate(1 hour)',
      Target: {
        EcsParameters: {
          TaskDefinitionArn: { Ref: /^ServicesReconcileTask/ },
          NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } }
        }
      }
    })
    t.strictSame(several!.home.container('Reconcile').Command, ['reconcile'])
    t.strictSame(trial!.listener.container('Reconcile').Command, ['reconcile', '--type', 'upload'])
    t.equal(bespoke!.listener.all('Scheduler::Schedule').length, 0, 'never')
    const other = several!.listeners['us-east-1']!
    t.equal(other.all('Scheduler::Schedule', 'ServicesReconcile').length, 0)
    t.equal(other.all('ECS::Service', 'ServicesPoll').length, 0)
    t.equal(several!.home.one('ECS::Service', 'ServicesPoll').Properties.DesiredCount, 1)
    t.equal(plain!.listener.all('ECS::Service', 'ServicesPoll').length, 0)
  })

  t.test('only roles that run processors get their secrets', async (t) => {
    for (const role of ['Worker', 'Operator']) {
      t.strictSame(
        secretsOf(several!.listener, role).sort(),
        ['CMS_KEY', 'CMS_TOKEN', 'DATABASE_URL', 'FORWARD_SECRET'],
        role
      )
      t.strictSame(secretsOf(trial!.listener, role).sort(), ['FORWARD_SECRET', 'PGPASSWORD'], role)
    }
    for (const role of ['Web', 'Reconcile', 'Poll', 'Canary'])
      t.strictSame(secretsOf(several!.home, role), [], role)
  })

  t.test('a worker with a database starts after migrate', async (t) => {
    for (const { listener } of [several!, trial!]) {
      const [worker, migrate] = listener.one('ECS::TaskDefinition', 'ServicesWorkerTask').Properties
        .ContainerDefinitions as unknown as Record<string, unknown>[]
      t.match(worker?.DependsOn, [{ ContainerName: 'migrate', Condition: 'SUCCESS' }])
      t.match(migrate, {
        Command: ['migrate'],
        Essential: false,
        ReadonlyRootFilesystem: true,
        User: '1000:1000'
      })
      t.strictSame(migrate?.Environment, worker?.Environment)
      t.strictSame(migrate?.Secrets, worker?.Secrets)
    }
    t.notOk(plain!.listener.container('Worker').DependsOn)
  })

  t.test('notify has a topic with its subscribers', async (t) => {
    const { listener } = several!
    t.match(listener.one('SNS::Topic', 'Notify').Properties, { TopicName: 'cloudinary-listener-notify' })
    t.match(
      listener
        .all('SNS::Subscription')
        .filter(({ Properties }) => JSON.stringify(Properties.TopicArn).includes('Notify'))
        .map(({ Properties }) => [Properties.Protocol, Properties.Endpoint]),
      [
        ['email', 'editor@example.com'],
        ['sms', '+14155550100']
      ]
    )
    t.equal(plain!.listener.all('SNS::Topic', 'Notify').length, 0)
  })

  t.test('the outputs have the webhook, the dashboards and the next command', async (t) => {
    t.strictSame(Object.keys(plain!.listener.outputs).sort(), [
      'ActivityUrl',
      'DashboardUrl',
      'NextCommand',
      'SecretName',
      'WebhookUrl'
    ])
    t.match(
      JSON.stringify(plain!.listener.outputs.NextCommand),
      /aws ecs run-task .*cloudinary-listener-operator.*setup/
    )
  })
}
