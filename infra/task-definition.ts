import { Duration, RemovalPolicy, Size, Stack, Validations } from 'aws-cdk-lib'
import {
  AwsLogDriverMode,
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
import type { Permission } from './permissions.ts'
import { namesOf } from './resource-names.ts'
import type { TaskSize } from './setting-values.ts'
import type { Settings } from './settings.ts'
import { PORT } from './timings.ts'

/** Properties that all task definitions share. */
export interface TaskPlatform {
  settings: Settings
  image: ContainerImage
  /** Encrypts the logs; undefined uses a key of AWS. */
  key: IKey | undefined
}

export interface TaskProps {
  /** A role, or a command with its arguments. */
  command: string[]
  size: TaskSize
  environment: Environment
  secrets?: Record<string, EcsSecret>
  permissions: readonly Permission[]
  /** Time from SIGTERM to SIGKILL, in seconds. */
  stopTimeout: number
  /**
   * True if the container listens on a port. The load balancer checks the container, so it has no check of
   * its own.
   */
  listens?: boolean
  /** Command that must succeed before the container starts, such as `migrate`. */
  initCommand?: string
}

/** User `node` of the image. */
const USER = '1000:1000'

const CONTAINER = 'listener'

/** Log lines that wait for CloudWatch: some 60,000. New lines are dropped until there is room. */
const LOG_BUFFER_MIB = 25

/** Creates the task definition of a role: not root, no capabilities, read-only file system. */
export function createTaskDefinition(
  scope: Construct,
  role: string,
  platform: TaskPlatform,
  props: TaskProps
): FargateTaskDefinition {
  const { settings, image, key } = platform
  const { command, size, environment, secrets = {}, permissions, stopTimeout, listens, initCommand } = props
  const names = namesOf(settings.name)
  const id = `${role[0]!.toUpperCase()}${role.slice(1)}`
  const task = new FargateTaskDefinition(scope, `${id}Task`, {
    family: names.taskFamily(role),
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
    logging: LogDrivers.awsLogs({
      logGroup,
      streamPrefix: 'listener',
      // a write that waits for CloudWatch would stop the process, and with it the webhook (docs/decisions/0032)
      mode: AwsLogDriverMode.NON_BLOCKING,
      maxBufferSize: Size.mebibytes(LOG_BUFFER_MIB)
    })
  }
  const container = task.addContainer(CONTAINER, {
    ...common,
    command,
    stopTimeout: Duration.seconds(stopTimeout),
    ...(listens && {
      // a container sees its own limit, not the task's, and web sizes its memory budgets by it
      memoryLimitMiB: size.memoryMiB,
      portMappings: [{ containerPort: PORT }]
    })
  })
  if (initCommand) {
    container.addContainerDependencies({
      container: task.addContainer(initCommand, { ...common, command: [initCommand], essential: false }),
      condition: ContainerDependencyCondition.SUCCESS
    })
  }
  Validations.of(task).acknowledge({
    id: 'AwsSolutions-ECS2',
    reason: 'The variables contain names and limits. Secrets come from Secrets Manager.'
  })
  Validations.of(task.obtainExecutionRole()).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'ecr:GetAuthorizationToken supports no resource; it is the only action with this wildcard.'
  })
  return task
}
