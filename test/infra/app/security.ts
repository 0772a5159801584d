import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import type { Test } from 'tap'
import { BASE_IMAGE } from '../../../infra/base-image.ts'
import { RDS_CERTIFICATES, regionsOfRds } from '../../../infra/rds-certificates.ts'
import { environmentOf, type Resource, type Synthesis, type Template } from '../../support/templates.ts'

interface Statement {
  Action: string | string[]
  Principal: { Service?: string | string[]; AWS?: unknown } | '*'
  Condition?: Record<string, Record<string, unknown>>
  Resource: unknown
}

const statementsOf = (resource: Resource, name: string) =>
  (resource.Properties[name] as unknown as { Statement: Statement[] }).Statement

export function security(t: Test, all: Record<string, Synthesis>) {
  const templates = Object.entries(all).flatMap(([name, { settings, state, listeners }]) => [
    { name: `${name}, state`, settings, template: state },
    ...Object.entries(listeners).map(([region, template]) => ({
      name: `${name}, ${region}`,
      settings,
      template
    }))
  ])
  const each = (type: string, check: (resource: Resource, about: string, template: Template) => void) => {
    let count = 0
    for (const { name, template } of templates) {
      for (const resource of template.all(type)) {
        count += 1
        check(resource, `${name}, ${resource.id}`, template)
      }
    }
    t.ok(count > 0, type)
  }

  t.test('a service may use a key only for the log groups or the topic of the listener', async (t) => {
    each('KMS::Key', (key, about, template) => {
      for (const { Principal, Action, Condition } of statementsOf(key, 'KeyPolicy')) {
        if (Principal === '*' || !Principal.Service) continue
        for (const action of [Action].flat()) t.notMatch(action, /\*/, about)
        const limits = JSON.stringify(Condition ?? {})
        if (String(Principal.Service).startsWith('logs.')) {
          t.match(limits, 'kms:EncryptionContext:aws:logs:arn', about)
          t.notMatch(limits, ':log-group:*', about)
        } else {
          t.match(limits, /"kms:EncryptionContext:aws:sns:topicArn":.*cloudinary-listener-alarms/, about)
          t.strictSame([Action].flat().sort(), ['kms:Decrypt', 'kms:GenerateDataKey'], about)
        }
      }
      // the state stack has neither logs nor topics
      if (template.all('DynamoDB::GlobalTable').length > 0) {
        t.equal(statementsOf(key, 'KeyPolicy').length, 1, about)
      }
    })
  })

  t.test('every encrypted log group is one that its key may encrypt', async (t) => {
    each('Logs::LogGroup', ({ Properties }, about, template) => {
      if (!Properties.KmsKeyId) return
      const [key] = template.all('KMS::Key')
      const patterns = JSON.stringify(statementsOf(key!, 'KeyPolicy')).matchAll(/:log-group:([^"]+)"/g)
      // CloudFormation names a group without a name after the stack
      const group = String(Properties.LogGroupName ?? 'cloudinary-listener-us-east-1-Generated')
      t.ok(
        [...patterns].some(([, pattern]) => new RegExp(`^${pattern!.replaceAll('*', '.*')}$`).test(group)),
        `${about}: ${group}`
      )
    })
  })

  t.test('only identities of the account pass a VPC endpoint, and only to its own data', async (t) => {
    each('EC2::VPCEndpoint', (endpoint, about) => {
      const service = /(dynamodb|s3|sqs|secretsmanager|ecr|logs)/.exec(
        JSON.stringify(endpoint.Properties.ServiceName)
      )![1]!
      const statements = statementsOf(endpoint, 'PolicyDocument')
      const [own, ...further] = statements.sort((one) => (one.Condition ? -1 : 1))
      t.match(own?.Condition, { StringEquals: { 'aws:PrincipalAccount': { Ref: 'AWS::AccountId' } } }, about)
      if (['dynamodb', 'sqs', 'secretsmanager'].includes(service)) {
        t.match(own?.Condition, { StringEquals: { 'aws:ResourceAccount': { Ref: 'AWS::AccountId' } } }, about)
      }
      t.equal(own?.Action, `${service}:*`, about)
      t.equal(further.length, service === 's3' ? 1 : 0, about)
      for (const { Action, Resource } of further) {
        t.equal(Action, 's3:GetObject', about)
        t.match(JSON.stringify(Resource), /:s3:::prod-[a-z0-9-]+-starport-layer-bucket\/\*/, about)
      }
    })
  })

  t.test('only the queue may dead-letter to the dead-letter queue, and nothing to the queue', async (t) => {
    each('SQS::Queue', ({ id, Properties }, about) => {
      const name = String(Properties.QueueName)
      if (id.startsWith('QueuesDeadLetterQueue')) {
        t.match(Properties.RedriveAllowPolicy, { redrivePermission: 'byQueue' }, about)
        t.match(
          JSON.stringify(Properties.RedriveAllowPolicy),
          name.replace('dead-letters.fifo', 'events.fifo'),
          about
        )
      } else t.match(Properties.RedriveAllowPolicy, { redrivePermission: 'denyAll' }, about)
    })
  })

  t.test('the load balancer is protected from deletion, except in a trial', async (t) => {
    for (const { name, settings, template } of templates) {
      for (const { Properties } of template.all('ElasticLoadBalancingV2::LoadBalancer')) {
        const attributes = Properties.LoadBalancerAttributes as unknown as { Key: string; Value: string }[]
        t.equal(
          attributes.find(({ Key }) => Key === 'deletion_protection.enabled')?.Value,
          String(settings.retainData),
          name
        )
      }
    }
  })

  t.test('the certificate of Aurora is verified by the authorities of its region', async (t) => {
    const certificates = readFileSync(RDS_CERTIFICATES, 'utf8').match(
      /-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g
    )!
    for (const { name, settings, template } of templates) {
      if (settings.database !== 'aurora' || template.all('RDS::DBCluster').length === 0) continue
      const { DATABASE_URL } = environmentOf(template, 'Worker', {
        DatabaseCluster: 'aurora.example.com',
        'Endpoint.Port': '5432',
        Queues: 'https://sqs.example.com/1/q',
        EntryLoadBalancer: 'balancer.example.com',
        Notify: 'arn'
      })
      const { ssl } = new pg.Client({ connectionString: DATABASE_URL! }) as unknown as {
        ssl: { ca: string; rejectUnauthorized?: boolean; checkServerIdentity?: unknown }
      }
      t.not(ssl.rejectUnauthorized, false, name)
      t.equal(ssl.checkServerIdentity, undefined, 'the host name is compared too')
      t.equal(ssl.ca, readFileSync(RDS_CERTIFICATES, 'utf8'), name)
      t.ok(regionsOfRds().has(settings.regions[0]!), name)
    }
    for (const text of certificates) {
      const certificate = new X509Certificate(text)
      t.ok(certificate.ca && certificate.verify(certificate.publicKey), certificate.subject)
      t.match(certificate.subject, /O=Amazon Web Services[\s\S]*CN=Amazon RDS /)
      t.ok(new Date(certificate.validTo) > new Date('2060-01-01'), certificate.validTo)
    }
    t.ok(certificates.length >= 3 * regionsOfRds().size)
  })

  t.test('all stages use one base image, of the major version of .nvmrc', async (t) => {
    const text = readFileSync('Dockerfile', 'utf8')
    const [, base] = /^ARG NODE_IMAGE=(\S+)$/m.exec(text)!
    const major = readFileSync('.nvmrc', 'utf8').trim().replace(/^v/, '').split('.')[0]
    t.equal(base, `node:${major}-slim`)
    const stages = [...text.matchAll(/^FROM .* AS (\S+)/gm)].map(([, stage]) => stage)
    for (const [, image] of text.matchAll(/^FROM (\S+)/gm)) {
      t.ok(image === '$NODE_IMAGE' || stages.includes(image), image!)
    }
    t.ok(BASE_IMAGE.startsWith(`${base}@sha256:`))
  })

  t.test('no command in the documents has a credential as an argument', async (t) => {
    for (const file of ['docs/deploy.md', 'docs/operations.md']) {
      const text = readFileSync(file, 'utf8')
      t.notMatch(text, /--secret-string (?!file:\/\/\/dev\/stdin)/, file)
      t.notMatch(text, /^\s*(export )?\w*(URL|SECRET|PASSWORD|TOKEN)=\S+.* (node|npx|npm|docker) /m, file)
    }
  })
}
