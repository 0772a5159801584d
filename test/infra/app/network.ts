import type { Test } from 'tap'
import type { Synthesis, Template } from '../../support/templates.ts'

/** Ingress rules of a security group: its own, and those in separate resources. */
function ingressOf(template: Template, group: string) {
  const { Properties } = template.one('EC2::SecurityGroup', group)
  const own = (Properties.SecurityGroupIngress ?? []) as unknown as object[]
  const separate = template
    .all('EC2::SecurityGroupIngress')
    .map(({ Properties }) => Properties)
    .filter(({ GroupId }) => JSON.stringify(GroupId).includes(`"${group}`))
  return [...own, ...separate] as { CidrIp?: string; FromPort: number; SourceSecurityGroupId?: object }[]
}

export function network(t: Test, { plain, several, trial, bespoke, sealed }: Record<string, Synthesis>) {
  t.test('tasks are in private subnets of two zones, behind one NAT gateway', async (t) => {
    const template = plain!.listener
    t.equal(template.all('EC2::Subnet').length, 4)
    t.equal(template.all('EC2::NatGateway').length, 1)
    const isPublic = ({ Properties }: { Properties: Record<string, unknown> }) =>
      Properties.MapPublicIpOnLaunch === true
    t.notOk(template.all('EC2::Subnet').some(isPublic), 'no public addresses by default')
    for (const role of ['Web', 'Worker']) {
      const { AwsvpcConfiguration } = template.one('ECS::Service', `Services${role}`).Properties
        .NetworkConfiguration as unknown as Record<string, object>
      t.match(AwsvpcConfiguration, {
        AssignPublicIp: 'DISABLED',
        Subnets: [{ Ref: /privateSubnet1/ }, { Ref: /privateSubnet2/ }]
      })
    }
  })

  t.test('natPerZone creates a NAT gateway in each of three zones', async (t) => {
    t.equal(several!.listener.all('EC2::Subnet').length, 6)
    t.equal(several!.listener.all('EC2::NatGateway').length, 3)
  })

  t.test('zones are selected by index, without a lookup in the account', async (t) => {
    const zones = several!.listener.all('EC2::Subnet').map(({ Properties }) => Properties.AvailabilityZone)
    t.match(zones[2], { 'Fn::Select': [2, { 'Fn::GetAZs': '' }] })
  })

  t.test('zones that the user names are used, and no others', async (t) => {
    const { settings, listener } = sealed!
    const named = settings.availabilityZones['us-east-1']!
    const zones = listener.all('EC2::Subnet').map(({ Properties }) => String(Properties.AvailabilityZone))
    t.strictSame(zones.sort(), [...named, ...named].sort())
    t.equal(listener.all('EC2::NatGateway').length, named.length)
  })

  t.test('calls to AWS stay in the VPC', async (t) => {
    const services = plain!.listener
      .all('EC2::VPCEndpoint')
      .map(({ Properties }) => [
        Properties.VpcEndpointType,
        JSON.stringify(Properties.ServiceName).match(
          /(dynamodb|s3|sqs|secretsmanager|ecr\.api|ecr\.dkr|logs)"?/
        )?.[1]
      ])
    t.strictSame(services, [
      ['Gateway', 'dynamodb'],
      ['Gateway', 's3'],
      ['Interface', 'sqs'],
      ['Interface', 'secretsmanager'],
      ['Interface', 'ecr.api'],
      ['Interface', 'ecr.dkr'],
      ['Interface', 'logs']
    ])
    t.equal(
      trial!.listener.all('EC2::VPCEndpoint').length,
      2,
      'without interface endpoints, the free gateway endpoints stay'
    )
  })

  t.test('only the load balancer can connect to web, and nothing to worker', async (t) => {
    for (const { listener } of [plain!, several!, trial!, bespoke!]) {
      t.match(ingressOf(listener, 'NetworkWebGroup'), [
        { FromPort: 8080, SourceSecurityGroupId: { 'Fn::GetAtt': [/^NetworkEntryGroup/, 'GroupId'] } }
      ])
      t.strictSame(ingressOf(listener, 'NetworkWorkerGroup'), [])
    }
    const open = (synthesis: Synthesis) =>
      ingressOf(synthesis.listener, 'NetworkEntryGroup').map(({ CidrIp, FromPort }) => [CidrIp, FromPort])
    t.strictSame(open(plain!), [['0.0.0.0/0', 80]])
    t.strictSame(open(several!).sort(), [
      ['0.0.0.0/0', 443],
      ['0.0.0.0/0', 80]
    ])
  })

  t.test('tasks send only HTTPS, traces to their collector, and worker also to a database', async (t) => {
    const ports = ({ listener }: Synthesis, group: string) =>
      (
        listener.one('EC2::SecurityGroup', group).Properties.SecurityGroupEgress as unknown as {
          FromPort: number
        }[]
      ).map(({ FromPort }) => FromPort)
    t.strictSame(ports(plain!, 'NetworkWebGroup'), [443])
    t.strictSame(ports(plain!, 'NetworkWorkerGroup'), [443])
    t.strictSame(
      ports(several!, 'NetworkWorkerGroup'),
      [443, 5432, 4318],
      'to any host: the secret has the address'
    )
    t.strictSame(ports(several!, 'NetworkWebGroup'), [443, 4318])
    t.strictSame(ports(sealed!, 'NetworkWebGroup'), [443], 'a collector on port 443 needs no rule of its own')
  })

  t.test('the default security group allows nothing, and rejected traffic is logged', async (t) => {
    t.ok(plain!.listener.resources.some(({ Type }) => Type === 'Custom::VpcRestrictDefaultSG'))
    t.match(plain!.listener.one('EC2::FlowLog').Properties, { TrafficType: 'REJECT' })
  })

  t.test('in an existing VPC only security groups are created', async (t) => {
    const { listener } = bespoke!
    for (const type of ['VPC', 'Subnet', 'NatGateway', 'VPCEndpoint'])
      t.equal(listener.all(`EC2::${type}`).length, 0)
    t.match(listener.one('ECS::Service', 'ServicesWeb').Properties.NetworkConfiguration, {
      AwsvpcConfiguration: { Subnets: ['subnet-cccccccc', 'subnet-dddddddd'] }
    })
    t.match(listener.one('ElasticLoadBalancingV2::LoadBalancer').Properties.Subnets, [
      'subnet-aaaaaaaa',
      'subnet-bbbbbbbb'
    ])
  })
}
