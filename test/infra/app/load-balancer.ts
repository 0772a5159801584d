import type { Test } from 'tap'
import { ACTIVITY_BODY_BYTES } from '../../../app/activity/body-limit.ts'
import type { Synthesis, Template } from '../../support/templates.ts'
import { buildWeb } from '../../support/web.ts'

/** The attributes of a load balancer or a target group, by key. */
const attributes = (properties: Record<string, unknown>, name: string) =>
  Object.fromEntries(
    (properties[name] as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value])
  )

const rules = (template: Template) =>
  template.one('WAFv2::WebACL').Properties.Rules as unknown as {
    Name: string
    Action?: object
    Statement: {
      RateBasedStatement?: { Limit: number; AggregateKeyType: string }
      RegexMatchStatement?: { RegexString: string; FieldToMatch: object }
      ManagedRuleGroupStatement?: {
        Name: string
        RuleActionOverrides: { Name: string; ActionToUse: object }[]
      }
    }
  }[]

export function loadBalancer(t: Test, all: Record<string, Synthesis>) {
  const { plain, several, bespoke } = all
  t.test('with a domain it serves HTTPS and redirects HTTP', async (t) => {
    const { listener } = several!
    t.match(listener.one('ElasticLoadBalancingV2::Listener', 'EntryLoadBalancerHttps').Properties, {
      Port: 443,
      Protocol: 'HTTPS',
      SslPolicy: /TLS13-1-2/,
      Certificates: [{ CertificateArn: { Ref: /^DomainCertificate/ } }],
      DefaultActions: [{ Type: 'forward' }]
    })
    t.match(
      listener.all('ElasticLoadBalancingV2::Listener').find(({ Properties }) => `${Properties.Port}` === '80')
        ?.Properties,
      {
        DefaultActions: [{ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', StatusCode: 'HTTP_301' } }]
      }
    )
    t.match(listener.outputs.WebhookUrl, { Value: 'https://hooks.example.com/webhooks/cloudinary' })
  })

  t.test('uses an existing certificate and creates no DNS record without a hosted zone', async (t) => {
    const { listener } = bespoke!
    t.match(listener.one('ElasticLoadBalancingV2::Listener', 'EntryLoadBalancerHttps').Properties, {
      Certificates: [{ CertificateArn: 'arn:aws:acm:eu-west-1:111111111111:certificate/own' }]
    })
    t.equal(listener.all('CertificateManager::Certificate').length, 0)
    t.equal(listener.all('Route53::RecordSet').length, 0)
  })

  t.test("without a domain it serves HTTP on the load balancer's name", async (t) => {
    t.match(plain!.listener.one('ElasticLoadBalancingV2::Listener').Properties, {
      Port: 80,
      DefaultActions: [{ Type: 'forward' }]
    })
    t.match(plain!.listener.outputs.WebhookUrl, {
      Value: {
        'Fn::Join': [
          '',
          ['http://', { 'Fn::GetAtt': [/^EntryLoadBalancer/, 'DNSName'] }, '/webhooks/cloudinary']
        ]
      }
    })
  })

  t.test('access logs go to a private bucket and expire', async (t) => {
    const { listener } = plain!
    const { Properties } = listener.one('ElasticLoadBalancingV2::LoadBalancer')
    t.match(attributes(Properties, 'LoadBalancerAttributes'), {
      'access_logs.s3.enabled': 'true',
      'routing.http.drop_invalid_header_fields.enabled': 'true'
    })
    t.match(listener.one('S3::Bucket').Properties, {
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: 90 }] }
    })
  })

  t.test('a task gets requests once it is ready, and an outage of the queue replaces none', async (t) => {
    const probeQueue = async () => Promise.reject(new Error('down'))
    const { app, lifecycle } = await buildWeb(t, { probeQueue })
    for (const [name, { listener }] of Object.entries(all)) {
      const { HealthCheckPath, ...group } = listener.one(
        'ElasticLoadBalancingV2::TargetGroup',
        'EntryWeb'
      ).Properties
      t.match(group, { Matcher: { HttpCode: '200' }, Port: 8080, TargetType: 'ip' }, name)
      for (const [state, status] of [
        ['starting', 503],
        ['ready', 200],
        ['draining', 503]
      ] as const) {
        lifecycle.state = state
        t.equal((await app.inject(String(HealthCheckPath))).statusCode, status, `${name}, ${state}`)
      }
    }
  })

  t.test('sends the paths of activity to its own target group, over HTTPS alone', async (t) => {
    const { listener } = several!
    t.match(listener.one('ElasticLoadBalancingV2::ListenerRule').Properties, {
      ListenerArn: { Ref: /^EntryLoadBalancerHttps/ },
      Conditions: [
        {
          Field: 'path-pattern',
          PathPatternConfig: { Values: ['/activity', '/activity/*', '/api/activity/*'] }
        }
      ],
      Actions: [{ Type: 'forward', TargetGroupArn: { Ref: /^EntryActivity/ } }]
    })
    t.match(listener.one('ElasticLoadBalancingV2::TargetGroup', 'EntryActivity').Properties, {
      HealthCheckPath: '/ready?queue=ignore',
      Port: 8080
    })
    t.equal(plain!.listener.all('ElasticLoadBalancingV2::ListenerRule').length, 0)
  })

  t.test(
    'the firewall protects the load balancer with managed rules and a rate limit per address',
    async (t) => {
      const { listener } = plain!
      t.match(listener.one('WAFv2::WebACLAssociation').Properties, {
        ResourceArn: { Ref: /^EntryLoadBalancer/ },
        WebACLArn: { 'Fn::GetAtt': [/^FirewallWebAcl/, 'Arn'] }
      })
      t.match(
        rules(listener).map(({ Name, Action }) => [Name, Action]),
        [
          ['RequestsPerIp', { Block: {} }],
          ['BodyLimit', { Block: {} }],
          ['AWSManagedRulesCommonRuleSet', undefined],
          ['AWSManagedRulesKnownBadInputsRuleSet', undefined]
        ]
      )
      t.match(rules(listener)[0]?.Statement.RateBasedStatement, { Limit: 100_000, AggregateKeyType: 'IP' })
    }
  )

  t.test('the firewall passes a body of 10 MiB and blocks one byte more', async (t) => {
    const statement = rules(plain!.listener)[1]!.Statement.RegexMatchStatement!
    t.match(statement.FieldToMatch, { SingleHeader: { Name: 'content-length' } })
    const refused = new RegExp(statement.RegexString)
    const limit = Number(
      (plain!.listener.container('Web').Environment as unknown as { Name: string; Value: string }[]).find(
        ({ Name }) => Name === 'BODY_LIMIT_BYTES'
      )?.Value
    )
    t.equal(limit, 10_485_760, "the listener's own limit")
    t.notMatch(String(limit), refused)
    t.match(String(limit + 1), refused)
  })

  t.test('no expression of the firewall has a capturing group', async (t) => {
    for (const [name, { listeners }] of Object.entries(all)) {
      for (const listener of Object.values(listeners)) {
        const expressions = rules(listener).flatMap(
          ({ Statement }) => Statement.RegexMatchStatement?.RegexString ?? []
        )
        t.ok(expressions.length > 0)
        for (const text of expressions)
          t.equal(new RegExp(`${text}|`).exec('')?.length, 1, `${name}: ${text}`)
      }
    }
  })

  t.test('the firewall passes a replay of maximum size where bodyLimitBytes is smaller', async (t) => {
    t.ok(several!.settings.bodyLimitBytes < ACTIVITY_BODY_BYTES)
    const statement = rules(several!.listener)[1]!.Statement.RegexMatchStatement!
    const refused = new RegExp(statement.RegexString)
    t.notMatch(String(ACTIVITY_BODY_BYTES), refused)
    t.match(String(ACTIVITY_BODY_BYTES + 1), refused)
  })

  t.test('managed rules that inspect bodies only count', async (t) => {
    const groups = rules(plain!.listener).flatMap(
      ({ Statement }) => Statement.ManagedRuleGroupStatement ?? []
    )
    const counted = groups.flatMap(({ RuleActionOverrides }) => RuleActionOverrides)
    for (const { ActionToUse } of counted) t.strictSame(ActionToUse, { Count: {} })
    // all rules of these groups that AWS documents as inspecting the body
    t.strictSame(
      counted.map(({ Name }) => Name).filter((name) => name.endsWith('_BODY')),
      [
        'SizeRestrictions_BODY',
        'CrossSiteScripting_BODY',
        'GenericLFI_BODY',
        'GenericRFI_BODY',
        'EC2MetaDataSSRF_BODY',
        'JavaDeserializationRCE_BODY',
        'Log4JRCE_BODY',
        'ReactJSRCE_BODY'
      ]
    )
  })

  t.test('the firewall logs blocked requests without signatures', async (t) => {
    t.match(plain!.listener.one('WAFv2::LoggingConfiguration').Properties, {
      LoggingFilter: { DefaultBehavior: 'DROP' },
      RedactedFields: [
        { SingleHeader: { Name: 'x-cld-signature' } },
        { SingleHeader: { Name: 'x-cld-signature_v2' } },
        { SingleHeader: { Name: 'authorization' } }
      ]
    })
    t.match(plain!.listener.one('Logs::LogGroup', 'FirewallLog').Properties, {
      LogGroupName: /^aws-waf-logs-/
    })
  })
}
