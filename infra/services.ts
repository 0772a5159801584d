import { Duration, Stack, Validations } from 'aws-cdk-lib'
import type { SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets'
import {
  AvailabilityZoneRebalancing,
  type CapacityProviderStrategy,
  Cluster,
  ContainerImage,
  ContainerInsights,
  type DeploymentAlarmConfig,
  type Secret as EcsSecret,
  FargateService,
  type FargateTaskDefinition
} from 'aws-cdk-lib/aws-ecs'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct, type IConstruct } from 'constructs'
import { BASE_IMAGE } from './base-image.ts'
import { CanarySchedule } from './canary-schedule.ts'
import { CommandSchedule } from './command-schedule.ts'
import type { DeploymentAlarms } from './deployment-alarms.ts'
import { type EnvironmentOptions, environmentsOf } from './environment.ts'
import type { LoadBalancer } from './load-balancer.ts'
import type { Network } from './network.ts'
import { type PermissionsOptions, permissionsOf } from './permissions.ts'
import { namesOf } from './resource-names.ts'
import type { TaskSize } from './setting-values.ts'
import type { Settings } from './settings.ts'
import { createTaskDefinition, type TaskPlatform } from './task-definition.ts'
import { TIMINGS } from './timings.ts'
import { scaleWeb } from './web-scaling.ts'
import { WorkerScaling } from './worker-scaling.ts'

export interface ServicesProps extends Omit<EnvironmentOptions & PermissionsOptions, 'scope' | 'webhookUrl'> {
  network: Network
  loadBalancer: LoadBalancer
  /** Environment variables of processors whose values ECS reads from Secrets Manager. */
  secrets: Record<string, EcsSecret>
  /** Environment variables of `activity` whose values ECS reads from Secrets Manager. */
  activitySecrets: Record<string, EcsSecret>
  /** True if this region runs `reconcile`, `schedules` and `poll`. */
  isHomeRegion: boolean
  alarmTopic: ITopic
  deploymentAlarms: DeploymentAlarms
  /** The database, which must exist before `worker` starts. */
  database: IConstruct | undefined
  key: IKey | undefined
}

/** Task size of `activity`, `poll` and commands. */
const SMALL: TaskSize = { cpu: 256, memoryMiB: 512 }

const LISTENING: readonly string[] = ['web', 'activity']

/** The roles as Fargate services, and the commands as Fargate tasks. */
export class Services extends Construct {
  readonly cluster: Cluster
  readonly web: FargateService
  readonly worker: FargateService
  /** Undefined without the setting `activity`. */
  readonly activity: FargateService | undefined
  /** Task definition for commands that people run. */
  readonly operator: FargateTaskDefinition
  /** Undefined outside the home region, and with `reconcileEvery: never`. */
  readonly reconcile: CommandSchedule | undefined
  /** Undefined outside the home region, and without the setting `pollChannel`. */
  readonly poll: FargateService | undefined
  readonly #network: Network

  constructor(scope: Construct, id: string, props: ServicesProps) {
    super(scope, id)
    const { settings, network, loadBalancer, secrets, activitySecrets, queues } = props
    const { isHomeRegion, alarmTopic, deploymentAlarms, database, key } = props
    this.#network = network
    this.cluster = new Cluster(this, 'Cluster', {
      clusterName: namesOf(settings.name).cluster,
      vpc: network.vpc,
      enableFargateCapacityProviders: true,
      containerInsightsV2: ContainerInsights.ENABLED
    })
    const environments = environmentsOf({ ...props, webhookUrl: loadBalancer.webhookUrl })
    const permissions = permissionsOf({ ...props, scope: this })
    const platform: TaskPlatform = { settings, key, image: this.#image(settings.architecture) }
    const task = (
      role: keyof typeof permissions,
      size: TaskSize,
      withSecrets: Record<string, EcsSecret> = {}
    ) =>
      createTaskDefinition(this, role, platform, {
        command: commandOf(role, settings),
        size,
        environment: environments[role],
        secrets: withSecrets,
        permissions: permissions[role],
        stopTimeout: LISTENING.includes(role) ? TIMINGS.webStop.seconds : TIMINGS.workerStop.seconds,
        listens: LISTENING.includes(role),
        // a worker does not start without its table, so a release that needs a new column would be rolled
        // back
        ...(role === 'worker' && settings.database !== 'none' && { initCommand: 'migrate' })
      })

    this.web = this.#createService('Web', task('web', settings.web.size), network.webGroup, {
      deploymentAlarms: deploymentAlarms.for('web'),
      healthCheckGracePeriod: Duration.seconds(TIMINGS.healthCheckGrace.seconds)
    })
    this.web.attachToApplicationTargetGroup(loadBalancer.targetGroup)
    scaleWeb(this.web, loadBalancer.targetGroup, settings.web)

    if (loadBalancer.activityGroup) {
      const activity = task('activity', SMALL, activitySecrets)
      this.activity = this.#createService('Activity', activity, network.webGroup, {
        desiredCount: 1,
        healthCheckGracePeriod: Duration.seconds(TIMINGS.healthCheckGrace.seconds)
      })
      this.activity.attachToApplicationTargetGroup(loadBalancer.activityGroup)
    }

    const { worker } = settings
    this.worker = this.#createService('Worker', task('worker', worker.size, secrets), network.workerGroup, {
      deploymentAlarms: deploymentAlarms.for('worker'),
      capacityProviderStrategies: worker.spot
        ? [onDemand(1, worker.minimumTasks), { capacityProvider: 'FARGATE_SPOT', weight: 3 }]
        : [onDemand(1)]
    })
    if (database) this.worker.node.addDependency(database)
    if (settings.archive) {
      Validations.of(this.worker.taskDefinition).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:${Stack.of(this).partition}:s3:::${namesOf(settings.name).archiveBucket('<AWS::AccountId>')}/*]`,
        reason: 'The names of the objects contain their time. The bucket has nothing else.'
      })
    }
    new WorkerScaling(this, 'WorkerScaling', { settings, service: this.worker, queue: queues.queue })

    this.operator = task('operator', SMALL, secrets)
    if (isHomeRegion && settings.reconcileEvery !== 'never') {
      this.reconcile = new CommandSchedule(this, 'Reconcile', {
        command: 'reconcile',
        every: settings.reconcileEvery,
        description: 'Finds changes in Cloudinary whose notification never arrived',
        advice: 'docs/operations.md, "Alarms", ReconcileFailed',
        cluster: this.cluster,
        task: task('reconcile', SMALL),
        alarmTopic,
        securityGroup: network.workerGroup
      })
    }
    if (isHomeRegion && settings.schedulesEvery !== 'never') {
      new CommandSchedule(this, 'Schedules', {
        command: 'schedules',
        every: settings.schedulesEvery,
        description: 'Runs the schedules of listener.config.ts that are due',
        advice: 'docs/processors.md, "Schedules"',
        cluster: this.cluster,
        task: task('schedules', SMALL),
        alarmTopic,
        securityGroup: network.workerGroup
      })
    }
    if (settings.canaryEvery !== 'never') {
      const canary = new CanarySchedule(this, 'Canary', {
        settings,
        cluster: this.cluster,
        task: task('canary', SMALL),
        securityGroup: network.workerGroup
      })
      canary.node.addDependency(this.web, this.worker)
    }
    if (isHomeRegion && settings.pollChannel) {
      this.poll = this.#createService('Poll', task('poll', SMALL), network.workerGroup, { desiredCount: 1 })
    }
  }

  /** `cdk deploy` builds the image from the Dockerfile; synthesis only hashes its inputs. */
  #image(architecture: 'arm64' | 'x86_64'): ContainerImage {
    const asset = new DockerImageAsset(this, 'Image', {
      directory: `${import.meta.dirname}/..`,
      // the production image does not contain dev/, so a change there must not cause a new image
      exclude: ['dev'],
      // an engine without BuildKit would also build the stages after it, which need dev/
      target: 'production',
      buildArgs: { NODE_IMAGE: BASE_IMAGE },
      platform: architecture === 'arm64' ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64
    })
    return ContainerImage.fromDockerImageAsset(asset)
  }

  #createService(
    role: string,
    taskDefinition: FargateTaskDefinition,
    securityGroup: SecurityGroup,
    props: {
      desiredCount?: number
      healthCheckGracePeriod?: Duration
      deploymentAlarms?: DeploymentAlarmConfig
      capacityProviderStrategies?: CapacityProviderStrategy[]
    } = {}
  ): FargateService {
    const service = new FargateService(this, role, {
      // no desiredCount by default: a deployment would reset the count that auto scaling chose
      cluster: this.cluster,
      serviceName: role.toLowerCase(),
      taskDefinition,
      securityGroups: [securityGroup],
      vpcSubnets: { subnets: this.cluster.vpc.privateSubnets },
      assignPublicIp: false,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.ENABLED,
      enableECSManagedTags: true,
      capacityProviderStrategies: [onDemand(1)],
      ...props
    })
    // without a route out and permissions the first tasks fail, and the circuit breaker rolls the release
    // back
    service.node.addDependency(this.#network, taskDefinition, this.cluster)
    return service
  }

  /** Returns the AWS CLI command that runs a command such as `doctor`. */
  commandLine(command: string): string {
    const { vpc, workerGroup } = this.#network
    const subnets = vpc.privateSubnets.map(({ subnetId }) => subnetId).join(',')
    const configuration = `awsvpcConfiguration={subnets=[${subnets}],securityGroups=[${workerGroup.securityGroupId}]}`
    const overrides = JSON.stringify({
      containerOverrides: [{ name: this.operator.defaultContainer!.containerName, command: [command] }]
    })
    return (
      `aws ecs run-task --region ${Stack.of(this).region} --cluster ${this.cluster.clusterName} --launch-type FARGATE ` +
      `--task-definition ${this.operator.family} --network-configuration '${configuration}' --overrides '${overrides}'`
    )
  }
}

/** Returns the arguments of a role's container. `aws ecs run-task` overrides those of the operator. */
function commandOf(role: string, { reconcileTypes }: Settings): string[] {
  if (role === 'operator') return ['doctor']
  if (role === 'reconcile') return [role, ...reconcileTypes.flatMap((type) => ['--type', type])]
  return [role]
}

const onDemand = (weight: number, base?: number): CapacityProviderStrategy => ({
  capacityProvider: 'FARGATE',
  weight,
  ...(base && { base })
})
