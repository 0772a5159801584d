import { Duration, Stack } from 'aws-cdk-lib'
import type { SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets'
import {
  AvailabilityZoneRebalancing,
  type CapacityProviderStrategy,
  Cluster,
  ContainerImage,
  ContainerInsights,
  type Secret as EcsSecret,
  FargateService,
  type FargateTaskDefinition
} from 'aws-cdk-lib/aws-ecs'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct, type IConstruct } from 'constructs'
import type { Entry } from './entry.ts'
import { type EnvironmentOptions, environmentsOf } from './environment.ts'
import { namesOf } from './names.ts'
import type { Network } from './network.ts'
import { type PermissionsOptions, permissionsOf } from './permissions.ts'
import { ReconcileSchedule } from './reconcile-schedule.ts'
import type { TaskSize } from './setting-values.ts'
import type { Settings } from './settings.ts'
import { createTask, type TaskPlatform } from './tasks.ts'
import { TIMINGS } from './timings.ts'
import { scaleWeb } from './web-scaling.ts'
import { WorkerScaling } from './worker-scaling.ts'

export interface ServicesProps extends Omit<EnvironmentOptions & PermissionsOptions, 'scope' | 'webhookUrl'> {
  network: Network
  entry: Entry
  /** What processors are handed from Secrets Manager, by variable. */
  secrets: Record<string, EcsSecret>
  /** What only one region does: `reconcile`, and `poll`. */
  isHomeRegion: boolean
  alarmTopic: ITopic
  /** What worker needs to be there before it starts. */
  database: IConstruct | undefined
  key: IKey | undefined
}

/** Of `poll` and of commands. */
const SMALL: TaskSize = { cpu: 256, memoryMiB: 512 }

/** The roles of the listener as services, and its commands as tasks. */
export class Services extends Construct {
  readonly cluster: Cluster
  readonly web: FargateService
  readonly worker: FargateService
  /** Runs commands by hand. */
  readonly operator: FargateTaskDefinition
  /** In the home region, unless it is never to run. */
  readonly reconcile: ReconcileSchedule | undefined
  readonly #network: Network

  constructor(scope: Construct, id: string, props: ServicesProps) {
    super(scope, id)
    const { settings, network, entry, secrets, queues, isHomeRegion, alarmTopic, database, key } = props
    this.#network = network
    this.cluster = new Cluster(this, 'Cluster', {
      clusterName: namesOf(settings.name).cluster,
      vpc: network.vpc,
      enableFargateCapacityProviders: true,
      containerInsightsV2: ContainerInsights.ENABLED
    })
    const environments = environmentsOf({ ...props, webhookUrl: entry.webhookUrl })
    const permissions = permissionsOf({ ...props, scope: this })
    const platform: TaskPlatform = { settings, key, image: this.#image(settings.architecture) }
    const task = (
      role: keyof typeof permissions,
      size: TaskSize,
      withSecrets: Record<string, EcsSecret> = {}
    ) =>
      createTask(this, role, platform, {
        command: commandOf(role, settings),
        size,
        environment: environments[role],
        secrets: withSecrets,
        permissions: permissions[role],
        stopTimeout: role === 'web' ? TIMINGS.webStop.seconds : TIMINGS.workerStop.seconds,
        listens: role === 'web',
        // as docker-compose.yml does: without its table a worker does not start, and a release would be rolled back
        ...(role === 'worker' && settings.database !== 'none' && { first: 'migrate' })
      })

    this.web = this.#createService('Web', task('web', settings.web.size), network.webGroup, {
      healthCheckGracePeriod: Duration.seconds(TIMINGS.healthCheckGrace.seconds)
    })
    this.web.attachToApplicationTargetGroup(entry.targetGroup)
    scaleWeb(this.web, entry.targetGroup, settings.web)

    const { worker } = settings
    this.worker = this.#createService('Worker', task('worker', worker.size, secrets), network.workerGroup, {
      capacityProviderStrategies: worker.spot
        ? [onDemand(1, worker.minimumTasks), { capacityProvider: 'FARGATE_SPOT', weight: 3 }]
        : [onDemand(1)]
    })
    if (database) this.worker.node.addDependency(database)
    new WorkerScaling(this, 'WorkerScaling', { settings, service: this.worker, queue: queues.queue })

    this.operator = task('operator', SMALL, secrets)
    if (isHomeRegion && settings.reconcileEvery !== 'never') {
      this.reconcile = new ReconcileSchedule(this, 'Reconcile', {
        settings,
        cluster: this.cluster,
        task: task('reconcile', SMALL),
        alarmTopic,
        securityGroup: network.workerGroup
      })
    }
    if (isHomeRegion && settings.pollChannel) {
      this.#createService('Poll', task('poll', SMALL), network.workerGroup, { desiredCount: 1 })
    }
  }

  /** Built from the Dockerfile when it is deployed; synthesis only hashes what goes into it. */
  #image(architecture: 'arm64' | 'x86_64'): ContainerImage {
    const asset = new DockerImageAsset(this, 'Image', {
      directory: `${import.meta.dirname}/..`,
      // the production image has none of it, and an edit of it is no new image
      exclude: ['dev'],
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
      capacityProviderStrategies?: CapacityProviderStrategy[]
    } = {}
  ): FargateService {
    const service = new FargateService(this, role, {
      // without a count of its own a deployment keeps as many as the scaling has made of it
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
    // the first tasks find a way out and what they may do, or the circuit breaker would take them for bad
    service.node.addDependency(this.#network, taskDefinition, this.cluster)
    return service
  }

  /** The line to type for a command, such as `doctor`. */
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

/** What a container runs; the operator says so anew each time. */
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
