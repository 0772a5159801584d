import { Certificate, CertificateValidation, type ICertificate } from 'aws-cdk-lib/aws-certificatemanager'
import type { IApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import {
  ARecord,
  CfnHealthCheck,
  HealthCheck,
  HostedZone,
  type IHostedZone,
  RecordTarget
} from 'aws-cdk-lib/aws-route53'
import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets'
import { Construct } from 'constructs'
import type { Settings } from './settings.ts'
import { FAILOVER_CHECK } from './timings.ts'

export interface DomainProps {
  settings: Settings
  region: string
  domainName: string
}

/**
 * The webhook's own name: its certificate, and the record that leads to the load balancer. Where there are several regions, Route
 * 53 leads to the one that is nearest and well, and each has a name of its own, by which it can be asked how it is.
 */
export class Domain extends Construct {
  readonly certificate: ICertificate
  readonly #props: DomainProps
  readonly #zone: IHostedZone | undefined

  constructor(scope: Construct, id: string, props: DomainProps) {
    super(scope, id)
    const { settings, region, domainName } = props
    this.#props = props
    this.#zone = settings.hostedZoneId
      ? HostedZone.fromHostedZoneAttributes(this, 'Zone', {
          hostedZoneId: settings.hostedZoneId,
          zoneName: settings.hostedZoneName ?? domainName.slice(domainName.indexOf('.') + 1)
        })
      : undefined
    const arn = settings.certificateArns[region]
    this.certificate = arn
      ? Certificate.fromCertificateArn(this, 'Certificate', arn)
      : new Certificate(this, 'Certificate', {
          domainName,
          ...(this.#isOneOfSeveral && { subjectAlternativeNames: [this.#ownName] }),
          validation: CertificateValidation.fromDns(this.#zone)
        })
  }

  get #isOneOfSeveral(): boolean {
    return this.#props.settings.regions.length > 1
  }

  get #ownName(): string {
    return `${this.#props.region}.${this.#props.domainName}`
  }

  /** Leads the name here; where the hosted zone is not given, a person does. */
  leadTo(loadBalancer: IApplicationLoadBalancer): void {
    const zone = this.#zone
    if (!zone) return
    const { region, domainName } = this.#props
    const target = RecordTarget.fromAlias(
      new LoadBalancerTarget(loadBalancer, { evaluateTargetHealth: true })
    )
    if (!this.#isOneOfSeveral) {
      new ARecord(this, 'Record', { zone, recordName: domainName, target })
      return
    }
    new ARecord(this, 'OwnRecord', { zone, recordName: this.#ownName, target })
    const healthCheck = new CfnHealthCheck(this, 'HealthCheck', {
      healthCheckConfig: {
        type: 'HTTPS',
        fullyQualifiedDomainName: this.#ownName,
        port: 443,
        resourcePath: '/ready',
        enableSni: true,
        requestInterval: FAILOVER_CHECK.interval,
        failureThreshold: FAILOVER_CHECK.failures
      }
    })
    new ARecord(this, 'Record', {
      zone,
      recordName: domainName,
      target,
      region,
      setIdentifier: region,
      healthCheck: HealthCheck.fromHealthCheckId(this, 'HealthCheckReference', healthCheck.attrHealthCheckId)
    })
  }
}
