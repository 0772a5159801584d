import { Annotations, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import {
  type ApplicationListener,
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
import { SERVING_PATH } from '../app/web/health-routes.ts'
import { routeActivity } from './activity-routes.ts'
import type { Network } from './network.ts'
import type { Settings } from './settings.ts'
import { PORT, TIMINGS } from './timings.ts'

export interface LoadBalancerProps {
  settings: Settings
  network: Network
  /** Certificate of the domain name; undefined serves plain HTTP. */
  certificate: IListenerCertificate | undefined
}

/** The public load balancer, its target groups and its access log. */
export class LoadBalancer extends Construct {
  readonly balancer: ApplicationLoadBalancer
  readonly targetGroup: ApplicationTargetGroup
  /** Target group of `activity`; undefined without that role. */
  readonly activityGroup: ApplicationTargetGroup | undefined
  readonly webhookUrl: string

  constructor(scope: Construct, id: string, { settings, network, certificate }: LoadBalancerProps) {
    super(scope, id)
    const { domainName } = settings
    this.balancer = new ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: network.vpc,
      internetFacing: true,
      securityGroup: network.entryGroup,
      dropInvalidHeaderFields: true,
      deletionProtection: settings.retainData,
      idleTimeout: Duration.seconds(TIMINGS.loadBalancerIdle.seconds)
    })
    this.balancer.logAccessLogs(this.#createLogBucket(settings))
    this.targetGroup = this.#createTargetGroup('Web', network)
    const listener = certificate ? this.#openHttps(certificate) : this.#openHttp()
    if (settings.activity) {
      this.activityGroup = this.#createTargetGroup('Activity', network)
      routeActivity(listener, this.activityGroup, settings)
    }
    const origin = domainName ? `https://${domainName}` : `http://${this.balancer.loadBalancerDnsName}`
    this.webhookUrl = `${origin}/webhooks/cloudinary`
  }

  #createTargetGroup(id: string, { vpc }: Network): ApplicationTargetGroup {
    return new ApplicationTargetGroup(this, id, {
      vpc,
      port: PORT,
      protocol: ApplicationProtocol.HTTP,
      targetType: TargetType.IP,
      loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      deregistrationDelay: Duration.seconds(TIMINGS.deregistration.seconds),
      healthCheck: {
        path: SERVING_PATH,
        healthyHttpCodes: '200',
        interval: Duration.seconds(TIMINGS.healthCheckInterval.seconds),
        timeout: Duration.seconds(TIMINGS.healthCheckTimeout.seconds),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3
      }
    })
  }

  #openHttps(certificate: IListenerCertificate): ApplicationListener {
    const https = this.balancer.addListener('Https', {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      sslPolicy: SslPolicy.TLS13_RES,
      certificates: [certificate],
      defaultAction: ListenerAction.forward([this.targetGroup])
    })
    this.balancer.addListener('Http', {
      port: 80,
      defaultAction: ListenerAction.redirect({ protocol: 'HTTPS', port: '443', permanent: true })
    })
    return https
  }

  #openHttp(): ApplicationListener {
    const http = this.balancer.addListener('Http', {
      port: 80,
      defaultAction: ListenerAction.forward([this.targetGroup])
    })
    Annotations.of(this).addWarningV2(
      'cloudinary-listener:no-tls',
      'domainName is not set: the webhook is served over plain HTTP. Notifications are signed, so nobody on the network ' +
        'can forge one, but they can read it and replay it until its signature expires. Use this for a trial only, ' +
        'or set domainName and hostedZoneId (docs/deploy.md).'
    )
    return http
  }

  #createLogBucket({ logRetentionDays, retainData }: Settings): Bucket {
    const bucket = new Bucket(this, 'AccessLogs', {
      // load balancers support no other encryption of access logs
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(logRetentionDays) }],
      // CloudFormation cannot delete a bucket that is not empty
      ...(retainData
        ? { removalPolicy: RemovalPolicy.RETAIN }
        : { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true })
    })
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'It holds the access logs of the load balancer; logging access to it would need another log bucket.'
    })
    return bucket
  }
}
