import { Fn, RemovalPolicy, Validations } from 'aws-cdk-lib'
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
  type VpcEndpoint
} from 'aws-cdk-lib/aws-ec2'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { type EndpointService, endpointPolicy } from './endpoint-policies.ts'
import { portOf } from './setting-values.ts'
import type { Settings } from './settings.ts'
import { PORT } from './timings.ts'

export interface NetworkProps {
  settings: Settings
  region: string
  key: IKey | undefined
}

/** AWS services that tasks call through interface endpoints. */
const ENDPOINTS: Record<string, [InterfaceVpcEndpointAwsService, EndpointService]> = {
  Sqs: [InterfaceVpcEndpointAwsService.SQS, 'sqs'],
  SecretsManager: [InterfaceVpcEndpointAwsService.SECRETS_MANAGER, 'secretsmanager'],
  Ecr: [InterfaceVpcEndpointAwsService.ECR, 'ecr'],
  EcrDocker: [InterfaceVpcEndpointAwsService.ECR_DOCKER, 'ecr'],
  Logs: [InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS, 'logs']
}

/**
 * VPC and security groups: tasks in private subnets, the load balancer in public ones. Only the load balancer
 * can connect to `web` and `activity`, and nothing can connect to the other roles. Outbound, tasks use HTTPS,
 * through the NAT gateway.
 */
export class Network extends Construct {
  readonly vpc: IVpc
  readonly entryGroup: SecurityGroup
  readonly webGroup: SecurityGroup
  readonly workerGroup: SecurityGroup

  constructor(scope: Construct, id: string, { settings, region, key }: NetworkProps) {
    super(scope, id)
    const existing = settings.vpc[region]
    const own = existing ? undefined : this.#createVpc(settings, region, key)
    this.vpc = own ?? Vpc.fromVpcAttributes(this, 'Vpc', existing!)

    // CloudFormation replaces a security group when its description changes
    const group = (name: string, description: string) =>
      new SecurityGroup(this, name, { vpc: this.vpc, description, allowAllOutbound: false })
    this.entryGroup = group('EntryGroup', 'load balancer: HTTPS from anywhere, out to web alone')
    this.webGroup = group('WebGroup', 'web: in from the load balancer, out by HTTPS')
    this.workerGroup = group('WorkerGroup', 'worker, poll and commands: nothing in, out by HTTPS')
    this.entryGroup.connections.allowTo(this.webGroup, Port.tcp(PORT), 'requests and health checks')
    for (const tasks of [this.webGroup, this.workerGroup]) {
      tasks.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS, Cloudinary, and what processors call')
    }
    if (settings.database === 'secret') {
      this.workerGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(5432), 'the database that the secret names')
    }
    const collectorPort = settings.otlpEndpoint && portOf(settings.otlpEndpoint)
    if (collectorPort && collectorPort !== 443) {
      for (const tasks of [this.webGroup, this.workerGroup]) {
        tasks.addEgressRule(Peer.anyIpv4(), Port.tcp(collectorPort), 'the collector of traces')
      }
    }
    if (own) this.#addEndpoints(own, settings)
    Validations.of(this.entryGroup).acknowledge({
      id: 'AwsSolutions-EC23',
      reason:
        'A webhook is called from the internet, and Cloudinary publishes no list of addresses. The firewall limits each address, and the listener accepts only signed notifications.'
    })
  }

  #createVpc(settings: Settings, region: string, key: IKey | undefined): Vpc {
    const { natPerZone, logRetentionDays, retainData } = settings
    // zones by index: their names would require a lookup in the account
    const zones =
      settings.availabilityZones[region] ??
      Array.from({ length: settings.zones }, (_, index) => Fn.select(index, Fn.getAzs()))
    const flowLog = new LogGroup(this, 'FlowLog', {
      retention: logRetentionDays as RetentionDays,
      removalPolicy: retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
      ...(key && { encryptionKey: key })
    })
    return new Vpc(this, 'Vpc', {
      availabilityZones: zones,
      natGateways: natPerZone ? zones.length : 1,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 }
      ],
      flowLogs: {
        // rejected traffic only: logs of all traffic would cost more than the listener
        Rejected: {
          destination: FlowLogDestination.toCloudWatchLogs(flowLog),
          trafficType: FlowLogTrafficType.REJECT
        }
      }
    })
  }

  /** Gateway endpoints (DynamoDB, and S3 for image layers) are free; interface endpoints are not. */
  #addEndpoints(vpc: Vpc, { interfaceEndpoints }: Settings): void {
    const restrict = (endpoint: VpcEndpoint, service: EndpointService) => {
      for (const statement of endpointPolicy(this, service)) endpoint.addToPolicy(statement)
    }
    const { DYNAMODB, S3 } = GatewayVpcEndpointAwsService
    restrict(vpc.addGatewayEndpoint('DynamoDb', { service: DYNAMODB }), 'dynamodb')
    restrict(vpc.addGatewayEndpoint('S3', { service: S3 }), 's3')
    if (!interfaceEndpoints) return
    const endpointGroup = new SecurityGroup(this, 'EndpointGroup', {
      vpc,
      description: 'VPC endpoints: HTTPS from the tasks',
      allowAllOutbound: false
    })
    for (const tasks of [this.webGroup, this.workerGroup]) {
      endpointGroup.connections.allowFrom(tasks, Port.tcp(443), 'calls to AWS')
    }
    for (const [name, [service, actions]] of Object.entries(ENDPOINTS)) {
      const props = { service, open: false, securityGroups: [endpointGroup] }
      restrict(vpc.addInterfaceEndpoint(name, props), actions)
    }
  }
}
