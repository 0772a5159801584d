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
import type { Settings } from './settings.ts'

export interface DatabaseProps {
  settings: Settings
  network: Network
  key: IKey | undefined
}

const USER = 'listener'
const NAME = 'listener'

/** Aurora Serverless v2 for the processor `databaseSync`; nothing but the workers reaches it. */
export class Database extends Construct {
  /**
   * Without the password, which `pg` takes from PGPASSWORD. The connection is encrypted; who answers is not verified, as the
   * image does not hold the certificates of Amazon RDS, and inside the VPC only the cluster has its address.
   */
  readonly url: string
  readonly secrets: Record<string, EcsSecret>

  constructor(scope: Construct, id: string, { settings, network, key }: DatabaseProps) {
    super(scope, id)
    const { databaseCapacity, logRetentionDays, retainData } = settings
    const logGroup = new LogGroup(this, 'Log', {
      // where Aurora writes it; without this one it would make one that never forgets
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
    this.url = `postgres://${USER}@${hostname}:${port}/${NAME}?sslmode=no-verify`
    this.secrets = { PGPASSWORD: EcsSecret.fromSecretsManager(cluster.secret!, 'password') }
    Validations.of(cluster).acknowledge(
      {
        id: 'AwsSolutions-SMG4',
        reason:
          'A task reads the password when it starts; one that is rotated behind its back would cut it off.'
      },
      {
        id: 'AwsSolutions-RDS11',
        reason: 'Its security group lets in the workers alone; another port would hide nothing from them.'
      },
      {
        id: 'AwsSolutions-RDS10',
        reason:
          'It is a copy of what Cloudinary has, and a snapshot stays when it is deleted. Protection would keep a first deployment that fails from being rolled back.'
      }
    )
  }
}
