import { Certificate, CertificateValidation, type ICertificate } from 'aws-cdk-lib/aws-certificatemanager'
import type { IApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import {
  ARecord,
  CfnHealthCheck,
  HealthCheck,
  HostedZone,
  type IHealthCheck,
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
 * The webhook's domain name: certificate and DNS records. Route 53 resolves it to the nearest healthy region, and
 * each region also has a name of its own, which the health check calls. One region has the same records, except
 * the health check: a simple record could not become a latency record later (docs/decisions/0030).
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
          zoneName: settings.hostedZoneName ?? zoneOf(domainName)
        })
      : undefined
    const arn = settings.certificateArns[region]
    this.certificate = arn
      ? Certificate.fromCertificateArn(this, 'Certificate', arn)
      : new Certificate(this, 'Certificate', {
          domainName,
          ...(settings.dnsRecord !== 'simple' && { subjectAlternativeNames: [this.#regionName] }),
          validation: CertificateValidation.fromDns(this.#zone)
        })
  }

  get #regionName(): string {
    return `${this.#props.region}.${this.#props.domainName}`
  }

  /** Creates the DNS records for a load balancer. Does nothing without a hosted zone. */
  pointTo(loadBalancer: IApplicationLoadBalancer): void {
    const zone = this.#zone
    if (!zone) return
    const { region, domainName, settings } = this.#props
    const target = RecordTarget.fromAlias(
      new LoadBalancerTarget(loadBalancer, { evaluateTargetHealth: true })
    )
    if (settings.dnsRecord === 'simple') {
      new ARecord(this, 'Record', { zone, recordName: domainName, target })
      return
    }
    new ARecord(this, 'OwnRecord', { zone, recordName: this.#regionName, target })
    if (settings.dnsRecord === 'none') return
    new ARecord(this, 'Record', {
      zone,
      recordName: domainName,
      target,
      region,
      setIdentifier: region,
      // with one region there is no other to fail over to
      ...(settings.regions.length > 1 && { healthCheck: this.#createHealthCheck() })
    })
  }

  #createHealthCheck(): IHealthCheck {
    const healthCheck = new CfnHealthCheck(this, 'HealthCheck', {
      healthCheckConfig: {
        type: 'HTTPS',
        fullyQualifiedDomainName: this.#regionName,
        port: 443,
        resourcePath: '/ready',
        enableSni: true,
        requestInterval: FAILOVER_CHECK.interval,
        failureThreshold: FAILOVER_CHECK.failures
      }
    })
    return HealthCheck.fromHealthCheckId(this, 'HealthCheckReference', healthCheck.attrHealthCheckId)
  }
}

/** Returns the usual zone of a name: `example.com` of `hooks.example.com`, and `example.com` itself. */
function zoneOf(domainName: string): string {
  const labels = domainName.split('.')
  return labels.length === 2 ? domainName : labels.slice(1).join('.')
}
