import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import { Secret as EcsSecret } from 'aws-cdk-lib/aws-ecs'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  Credentials,
  DatabaseCluster,
  DatabaseClusterEngine
} from 'aws-cdk-lib/aws-rds'
import { Construct } from 'constructs'
import type { Network } from './network.ts'
import { RDS_CERTIFICATES } from './rds-certificates.ts'
import type { Settings } from './settings.ts'

export interface DatabaseProps {
  settings: Settings
  network: Network
  key: IKey | undefined
}

const USER = 'listener'
const NAME = 'listener'

/** Aurora Serverless v2 for the processor `databaseSync`. Only `worker` and commands can connect to it. */
export class Database extends Construct {
  /** Has no password: `pg` reads PGPASSWORD. */
  readonly url: string
  readonly secrets: Record<string, EcsSecret>

  constructor(scope: Construct, id: string, { settings, network, key }: DatabaseProps) {
    super(scope, id)
    const { databaseCapacity, logRetentionDays, retainData } = settings
    const logGroup = new LogGroup(this, 'Log', {
      // Aurora writes to this name; if the group did not exist, Aurora would create one that keeps logs
      // forever
      logGroupName: `/aws/rds/cluster/${settings.name}/postgresql`,
      retention: logRetentionDays as RetentionDays,
      removalPolicy: retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
      ...(key && { encryptionKey: key })
    })
    const cluster = new DatabaseCluster(this, 'Cluster', {
      clusterIdentifier: settings.name,
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_17_7 }),
      vpc: network.vpc,
      vpcSubnets: { subnets: network.vpc.privateSubnets },
      writer: ClusterInstance.serverlessV2('Writer'),
      serverlessV2MinCapacity: databaseCapacity.minimum,
      serverlessV2MaxCapacity: databaseCapacity.maximum,
      credentials: Credentials.fromGeneratedSecret(USER, { ...(key && { encryptionKey: key }) }),
      defaultDatabaseName: NAME,
      storageEncrypted: true,
      ...(key && { storageEncryptionKey: key }),
      iamAuthentication: true,
      backup: { retention: Duration.days(14) },
      cloudwatchLogsExports: ['postgresql'],
      removalPolicy: retainData ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY
    })
    cluster.node.addDependency(logGroup)
    cluster.connections.allowDefaultPortFrom(network.workerGroup, 'workers and commands')
    const { hostname, port } = cluster.clusterEndpoint
    this.url = `postgres://${USER}@${hostname}:${port}/${NAME}?sslmode=verify-full&sslrootcert=${RDS_CERTIFICATES}`
    this.secrets = { PGPASSWORD: EcsSecret.fromSecretsManager(cluster.secret!, 'password') }
    Validations.of(cluster).acknowledge(
      {
        id: 'AwsSolutions-SMG4',
        reason: 'A task reads the password only when it starts, so a rotation would lock running tasks out.'
      },
      {
        id: 'AwsSolutions-RDS11',
        reason: 'Only the workers can reach it (security group), and they know the port.'
      },
      {
        id: 'AwsSolutions-RDS10',
        reason:
          'It is a copy of data in Cloudinary, and deletion keeps a snapshot. Deletion protection would block the rollback of a failed first deployment.'
      }
    )
  }
}
