import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import {
  Capability,
  ContainerDependencyCondition,
  type ContainerImage,
  CpuArchitecture,
  type Secret as EcsSecret,
  FargateTaskDefinition,
  LinuxParameters,
  LogDrivers,
  OperatingSystemFamily
} from 'aws-cdk-lib/aws-ecs'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { Environment } from './environment.ts'
import { namesOf } from './names.ts'
import type { Permission } from './permissions.ts'
import type { TaskSize } from './setting-values.ts'
import type { Settings } from './settings.ts'
import { PORT, TIMINGS } from './timings.ts'

/** What all tasks share. */
export interface TaskPlatform {
  settings: Settings
  image: ContainerImage
  /** The customer's own key, for the logs. */
  key: IKey | undefined
}

export interface TaskProps {
  /** A role, or a command with its arguments. */
  command: string[]
  size: TaskSize
  environment: Environment
  secrets?: Record<string, EcsSecret>
  /** What the role may do, and on what. */
  permissions: readonly Permission[]
  /** From SIGTERM to SIGKILL, in seconds. */
  stopTimeout: number
  /** Only `web` listens, so only it has a health check. */
  listens?: boolean
  /** A command that must succeed before the container starts: `migrate`. */
  first?: string
}

/** The user `node` of the image. */
const USER = '1000:1000'

export const CONTAINER = 'listener'

/** The listener's image with no root, no capability, and nothing to write to. */
export function createTask(
  scope: Construct,
  role: string,
  platform: TaskPlatform,
  props: TaskProps
): FargateTaskDefinition {
  const { settings, image, key } = platform
  const { command, size, environment, secrets = {}, permissions, stopTimeout, listens, first } = props
  const names = namesOf(settings.name)
  const id = `${role[0]!.toUpperCase()}${role.slice(1)}`
  const task = new FargateTaskDefinition(scope, `${id}Task`, {
    family: names.family(role),
    cpu: size.cpu,
    memoryLimitMiB: size.memoryMiB,
    runtimePlatform: {
      operatingSystemFamily: OperatingSystemFamily.LINUX,
      cpuArchitecture: settings.architecture === 'arm64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64
    }
  })
  for (const permission of permissions) task.addToTaskRolePolicy(new PolicyStatement(permission))
  const logGroup = new LogGroup(scope, `${id}Log`, {
    logGroupName: names.logGroup(role),
    retention: settings.logRetentionDays as RetentionDays,
    removalPolicy: settings.retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    ...(key && { encryptionKey: key })
  })
  const linux = new LinuxParameters(scope, `${id}Linux`, { initProcessEnabled: true })
  linux.dropCapabilities(Capability.ALL)
  const common = {
    image,
    environment: { ...environment, AWS_REGION: Stack.of(scope).region },
    secrets,
    user: USER,
    readonlyRootFilesystem: true,
    linuxParameters: linux,
    logging: LogDrivers.awsLogs({ logGroup, streamPrefix: 'listener' })
  }
  const container = task.addContainer(CONTAINER, {
    ...common,
    command,
    stopTimeout: Duration.seconds(stopTimeout),
    ...(listens && {
      // Fargate shows a container its own limit and not the task's, and web divides its memory by that
      memoryLimitMiB: size.memoryMiB,
      portMappings: [{ containerPort: PORT }],
      healthCheck: {
        command: ['CMD', 'node', 'app/web/health-check.ts', String(PORT)],
        interval: Duration.seconds(TIMINGS.healthCheckInterval.seconds),
        timeout: Duration.seconds(TIMINGS.healthCheckTimeout.seconds),
        retries: 3,
        startPeriod: Duration.seconds(TIMINGS.healthCheckGrace.seconds)
      }
    })
  })
  if (first) {
    container.addContainerDependencies({
      container: task.addContainer(first, { ...common, command: [first], essential: false }),
      condition: ContainerDependencyCondition.SUCCESS
    })
  }
  Validations.of(task).acknowledge({
    id: 'AwsSolutions-ECS2',
    reason: 'The variables hold names and limits. What is secret comes from Secrets Manager.'
  })
  Validations.of(task.obtainExecutionRole()).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'ecr:GetAuthorizationToken knows no resource; it is the only action with this one.'
  })
  return task
}
