import { join } from 'node:path'
import type { Test } from 'tap'
import { type Synthesis, synthesise } from '../../support/templates.ts'

export function regions(t: Test, all: Record<string, Synthesis>) {
  const { several } = all
  const each = Object.entries(several!.listeners)

  t.test('each region has the whole listener with full limits', async (t) => {
    t.strictSame(
      each.map(([region]) => region),
      ['us-east-1', 'eu-west-1']
    )
    for (const [region, template] of each) {
      for (const service of ['Web', 'Worker'])
        t.ok(template.one('ECS::Service', `Services${service}`), region)
      t.equal(template.all('SQS::Queue').length, 2, region)
      t.equal(template.all('WAFv2::WebACL').length, 1, region)
      t.match(template.one('ApplicationAutoScaling::ScalableTarget', 'ServicesWeb').Properties, {
        MaxCapacity: 10
      })
    }
  })

  t.test('the shared name resolves to the nearest healthy region', async (t) => {
    for (const [region, template] of each) {
      const records = template.all('Route53::RecordSet').map(({ Properties }) => Properties)
      t.match(
        records.find(({ Name }) => String(Name) === 'hooks.example.com.'),
        {
          Region: region,
          SetIdentifier: region,
          HealthCheckId: { 'Fn::GetAtt': [/^DomainHealthCheck/, 'HealthCheckId'] },
          AliasTarget: { EvaluateTargetHealth: true },
          HostedZoneId: 'Z0123456789'
        },
        region
      )
      t.match(template.one('Route53::HealthCheck').Properties.HealthCheckConfig, {
        Type: 'HTTPS',
        FullyQualifiedDomainName: `${region}.hooks.example.com`,
        ResourcePath: '/ready'
      })
      t.ok(
        records.some(({ Name }) => String(Name) === `${region}.hooks.example.com.`),
        'the name that the health check calls has a record'
      )
      t.match(template.one('CertificateManager::Certificate').Properties, {
        DomainName: 'hooks.example.com',
        SubjectAlternativeNames: [`${region}.hooks.example.com`]
      })
    }
  })

  t.test('a second region changes no property of a record or certificate that cannot change', async (t) => {
    const directory = t.testdir()
    const domain = { domainName: 'hooks.example.com', hostedZoneId: 'Z0123456789' }
    const one = synthesise(join(directory, 'one'), domain)
    const two = synthesise(join(directory, 'two'), { ...domain, regions: 'us-east-1,eu-west-1' })
    const resources = ({ listener }: Synthesis) =>
      [...listener.all('Route53::RecordSet'), ...listener.all('CertificateManager::Certificate')].map(
        // Route 53 takes a health check in place
        ({ id, Properties: { HealthCheckId: _, ...properties } }) => ({ id, properties })
      )
    t.equal(resources(one).length, 3)
    t.strictSame(resources(two), resources(one))
    t.equal(one.listener.all('Route53::HealthCheck').length, 0, 'one region has none to fail over to')
    t.equal(two.listener.all('Route53::HealthCheck').length, 1)
  })

  t.test('every record of a domain name is a latency record, in any number of regions', async (t) => {
    for (const [name, { settings, listeners }] of Object.entries(all)) {
      for (const [region, template] of Object.entries(listeners)) {
        const records = template.all('Route53::RecordSet').map(({ Properties }) => Properties)
        t.match(
          records.filter(({ Name }) => String(Name) === `${settings.domainName}.`),
          settings.hostedZoneId ? [{ Region: region, SetIdentifier: region }] : [],
          `${name}, ${region}`
        )
      }
    }
  })

  t.test('a simple record stays, and leaves before a latency record comes', async (t) => {
    const directory = t.testdir()
    const domain = { domainName: 'hooks.example.com', hostedZoneId: 'Z0123456789' }
    const namesOf = (dnsRecord: string, domainName = 'hooks.example.com') => {
      const { listener } = synthesise(join(directory, dnsRecord), { ...domain, domainName, dnsRecord })
      const [certificate] = listener.all('CertificateManager::Certificate')
      return {
        records: listener
          .all('Route53::RecordSet')
          .map(({ Properties }) => [String(Properties.Name), Properties.Region as unknown]),
        further: certificate?.Properties.SubjectAlternativeNames as unknown
      }
    }
    t.strictSame(namesOf('simple'), { records: [['hooks.example.com.', undefined]], further: undefined })
    // the domain of the zone itself
    const own = 'us-east-1.example.com'
    t.strictSame(namesOf('none', 'example.com'), { records: [[`${own}.`, undefined]], further: [own] })
  })

  t.test('all regions use the same journal and secret names', async (t) => {
    for (const [region, template] of each) {
      const environment = Object.fromEntries(
        (template.container('Worker').Environment as unknown as { Name: string; Value: string }[]).map(
          ({ Name, Value }) => [Name, Value]
        )
      )
      t.match(environment, {
        JOURNAL_TABLE: 'cloudinary-listener-journal',
        CLOUDINARY_SECRET_ID: 'cloudinary-listener/cloudinary',
        WEBHOOK_URL: 'https://hooks.example.com/webhooks/cloudinary',
        AWS_REGION: region
      })
    }
  })
}
