import { Annotations, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  type IListenerCertificate,
  ListenerAction,
  SslPolicy,
  TargetGroupLoadBalancingAlgorithmType,
  TargetType
} from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { Network } from './network.ts'
import type { Settings } from './settings.ts'
import { PORT, TIMINGS } from './timings.ts'

export interface EntryProps {
  settings: Settings
  network: Network
  /** For the domain of the settings; without a domain there is none. */
  certificate: IListenerCertificate | undefined
}

/** How Cloudinary gets in: the load balancer, and where it sends what comes. */
export class Entry extends Construct {
  readonly loadBalancer: ApplicationLoadBalancer
  readonly targetGroup: ApplicationTargetGroup
  readonly webhookUrl: string

  constructor(scope: Construct, id: string, { settings, network, certificate }: EntryProps) {
    super(scope, id)
    const { domainName } = settings
    this.loadBalancer = new ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: network.vpc,
      internetFacing: true,
      securityGroup: network.entryGroup,
      dropInvalidHeaderFields: true,
      idleTimeout: Duration.seconds(TIMINGS.loadBalancerIdle.seconds)
    })
    this.loadBalancer.logAccessLogs(this.#createLogBucket(settings))
    this.targetGroup = new ApplicationTargetGroup(this, 'Web', {
      vpc: network.vpc,
      port: PORT,
      protocol: ApplicationProtocol.HTTP,
      targetType: TargetType.IP,
      loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      deregistrationDelay: Duration.seconds(TIMINGS.deregistration.seconds),
      healthCheck: {
        path: '/ready',
        healthyHttpCodes: '200',
        interval: Duration.seconds(TIMINGS.healthCheckInterval.seconds),
        timeout: Duration.seconds(TIMINGS.healthCheckTimeout.seconds),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3
      }
    })
    if (certificate) this.#openHttps(certificate)
    else this.#openHttp()
    const origin = domainName ? `https://${domainName}` : `http://${this.loadBalancer.loadBalancerDnsName}`
    this.webhookUrl = `${origin}/webhooks/cloudinary`
  }

  #openHttps(certificate: IListenerCertificate): void {
    this.loadBalancer.addListener('Https', {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      sslPolicy: SslPolicy.TLS13_RES,
      certificates: [certificate],
      defaultAction: ListenerAction.forward([this.targetGroup])
    })
    this.loadBalancer.addListener('Http', {
      port: 80,
      defaultAction: ListenerAction.redirect({ protocol: 'HTTPS', port: '443', permanent: true })
    })
  }

  #openHttp(): void {
    this.loadBalancer.addListener('Http', {
      port: 80,
      defaultAction: ListenerAction.forward([this.targetGroup])
    })
    Annotations.of(this).addWarningV2(
      'cloudinary-listener:no-tls',
      'domainName is not set: the webhook is served over plain HTTP. Nobody can forge a notification, which is signed, but ' +
        'whoever is on the way can read it, and send it again within the tolerance. For a trial only: set domainName and hostedZoneId (docs/deploy.md).'
    )
  }

  #createLogBucket({ logRetentionDays, retainData }: Settings): Bucket {
    const bucket = new Bucket(this, 'AccessLogs', {
      // the only encryption that a load balancer can write with
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(logRetentionDays) }],
      // a bucket that is not empty cannot be deleted, not even by a first deployment that fails
      ...(retainData
        ? { removalPolicy: RemovalPolicy.RETAIN }
        : { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true })
    })
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'It holds the access logs of the load balancer; logs of who reads logs would need a bucket with logs again.'
    })
    return bucket
  }
}
