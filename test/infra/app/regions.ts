import type { Test } from 'tap'
import type { Synthesis } from '../../support/templates.ts'

export function regions(t: Test, { several }: Record<string, Synthesis>) {
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
