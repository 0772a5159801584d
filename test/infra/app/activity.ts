import type { Test } from 'tap'
import { VARIABLES } from '../../../app/config.ts'
import { namesOf } from '../../../infra/resource-names.ts'
import type { Resource, Synthesis, Template } from '../../support/templates.ts'

interface Login {
  OnUnauthenticatedRequest: string
  ClientSecret: string
  SessionTimeout: string
}

interface Rule {
  Priority: number
  Conditions: Record<string, { Values: string[]; HttpHeaderName?: string }>[]
  Actions: { Type: string; AuthenticateOidcConfig?: Login }[]
}

interface Statement {
  Action: string | string[]
  Resource: unknown
}

const rulesOf = (template: Template) =>
  template
    .all('ElasticLoadBalancingV2::ListenerRule')
    .map(({ Properties }) => Properties as unknown as Rule)
    .sort((a, b) => a.Priority - b.Priority)

/** Returns whether a value with `*` matches, as in the conditions of a load balancer. */
const isLike = (pattern: string, text: string) =>
  new RegExp(`^${pattern.replace(/[.?/]/g, '\\$&').replaceAll('*', '.*')}$`, 'i').test(text)

/** What the load balancer does with a request of a person who has not logged in. */
function answerTo(template: Template, request: { path: string; method?: string; authorization?: string }) {
  const { path, method = 'GET', authorization } = request
  const given: Record<string, string | undefined> = {
    PathPatternConfig: path,
    HttpRequestMethodConfig: method,
    HttpHeaderConfig: authorization
  }
  const rule = rulesOf(template).find(({ Conditions }) =>
    Conditions.every((condition) =>
      Object.entries(given).every(([kind, text]) => {
        const values = condition[kind]?.Values
        return !values || (text !== undefined && values.some((value) => isLike(value, text)))
      })
    )
  )
  if (!rule) return 'web'
  const [first] = rule.Actions
  return first?.Type === 'forward' ? 'activity' : first?.AuthenticateOidcConfig?.OnUnauthenticatedRequest
}

const statementsOf = (template: Template, role: string) => {
  const { id } = template.one('IAM::Role', role)
  return template
    .all('IAM::Policy')
    .filter(({ Properties }) => JSON.stringify(Properties.Roles) === JSON.stringify([{ Ref: id }]))
    .flatMap(
      ({ Properties }) => (Properties.PolicyDocument as unknown as { Statement: Statement[] }).Statement
    )
    .map(({ Action, Resource }) => ({ actions: [Action].flat(), on: JSON.stringify(Resource) }))
}

const alarmsOf = (template: Template) =>
  Object.fromEntries(
    template
      .all('CloudWatch::Alarm', 'Alarms')
      .map(({ Properties }): [string, Resource['Properties']] => [
        String(Properties.AlarmName).replace('cloudinary-listener ', ''),
        Properties
      ])
  )

const overviewOf = (template: Template) =>
  JSON.stringify(template.one('CloudWatch::Dashboard', 'Overview').Properties.DashboardBody)

/** The role activity: `several` without, `trial` with OIDC, read tokens and allowed origins. */
export function activity(t: Test, { plain, several, trial }: Record<string, Synthesis>) {
  t.test('activity gets its read tokens from a secret, and the origins of pages', async (t) => {
    const { Environment, Secrets } = trial!.listener.container('Activity') as unknown as {
      Environment: { Name: string; Value: string }[]
      Secrets: { Name: string; ValueFrom: unknown }[]
    }
    t.strictSame(Secrets.map(({ Name }) => Name).sort(), ['ACTIVITY_PASSWORD', 'ACTIVITY_READ_TOKENS'])
    const tokens = Secrets.find(({ Name }) => Name === 'ACTIVITY_READ_TOKENS')
    t.match(JSON.stringify(tokens), 'secret:cloudinary-listener/activity/tokens')
    const origins = Environment.find(({ Name }) => Name === 'ACTIVITY_ALLOWED_ORIGINS')
    t.strictSame(VARIABLES.ACTIVITY_ALLOWED_ORIGINS.schema.parse(origins?.Value), [
      'https://www.example.com',
      'http://localhost:3000'
    ])
    t.match(trial!.state.one('SecretsManager::Secret', 'ActivityTokens').Properties, {
      Name: 'cloudinary-listener/activity/tokens',
      Description: `Value: ${VARIABLES.ACTIVITY_READ_TOKENS.allowed}`
    })
    const off = JSON.stringify(several!.listener.container('Activity'))
    t.notMatch(off, /ACTIVITY_READ_TOKENS|ACTIVITY_ALLOWED_ORIGINS/)
  })

  t.test('no name of a secret can be taken for the partial ARN of another', async (t) => {
    const names = Object.entries(namesOf('a-name')).filter(([key]) => /secret$/i.test(key))
    t.ok(names.length >= 7)
    for (const [key, name] of names) t.notMatch(name, /-.{6}$/, key)
  })

  t.test('without OIDC, the load balancer forwards all paths of activity', async (t) => {
    const { listener } = several!
    for (const path of ['/activity', '/activity/events/1', '/api/activity/events'])
      t.equal(answerTo(listener, { path }), 'activity', path)
    for (const path of ['/webhooks/cloudinary', '/ready', '/activityx'])
      t.equal(answerTo(listener, { path }), 'web', path)
  })

  t.test('with OIDC, people log in; machines with a token, preflights and webhooks do not', async (t) => {
    const { listener } = trial!
    const authorization = 'Bearer a-long-random-token'
    const basic = 'Basic bGlzdGVuZXI6c2VjcmV0'
    const path = '/api/activity/events'
    for (const path of ['/activity', '/activity/events/1']) {
      for (const header of [undefined, basic, authorization])
        t.equal(answerTo(listener, { path, ...(header && { authorization: header }) }), 'authenticate', path)
    }
    t.equal(answerTo(listener, { path: '/oauth2/idpresponse' }), 'authenticate', 'the end of a login')
    t.equal(answerTo(listener, { path, authorization }), 'activity')
    t.equal(answerTo(listener, { path, method: 'OPTIONS' }), 'activity')
    t.equal(answerTo(listener, { path }), 'deny', 'a script gets 401, not a page of the provider')
    t.equal(answerTo(listener, { path, authorization: basic }), 'deny', 'the password alone is not enough')
    t.equal(answerTo(listener, { path: '/api/activity/replays', method: 'POST' }), 'deny')
    for (const path of ['/webhooks/cloudinary', '/ready']) t.equal(answerTo(listener, { path }), 'web', path)
  })

  t.test('the header of tokens is Authorization, and each rule has its own priority', async (t) => {
    const rules = rulesOf(trial!.listener)
    const headers = rules.flatMap(({ Conditions }) => Conditions.flatMap((one) => one.HttpHeaderConfig ?? []))
    t.strictSame(headers, [{ HttpHeaderName: 'Authorization', Values: ['Bearer *'] }])
    t.equal(new Set(rules.map(({ Priority }) => Priority)).size, rules.length)
    const [forward] = rulesOf(several!.listener)
    t.equal(forward?.Priority, rules.at(-1)?.Priority, 'with OIDC, rules are added and none is moved')
  })

  t.test('the client secret is read by CloudFormation, and sessions end within a day', async (t) => {
    const { settings, listener, state } = trial!
    const logins = rulesOf(listener).flatMap(({ Actions }) =>
      Actions.flatMap(({ AuthenticateOidcConfig }) => AuthenticateOidcConfig ?? [])
    )
    t.equal(logins.length, 2)
    const { clientSecretVersion, ...provider } = settings.activityOidc!
    for (const { ClientSecret, SessionTimeout, ...login } of logins) {
      t.equal(
        ClientSecret,
        `{{resolve:secretsmanager:cloudinary-listener/activity/oidc:SecretString:::${clientSecretVersion}}}`
      )
      t.ok(Number(SessionTimeout) <= 86_400)
      t.match(login, {
        Issuer: provider.issuer,
        AuthorizationEndpoint: provider.authorizationEndpoint,
        TokenEndpoint: provider.tokenEndpoint,
        UserInfoEndpoint: provider.userInfoEndpoint,
        ClientId: provider.clientId
      })
    }
    const secret = state.one('SecretsManager::Secret', 'ActivityOidc').Properties
    t.equal(secret.Name, 'cloudinary-listener/activity/oidc')
    t.notMatch(JSON.stringify(statementsOf(listener, 'ServicesActivityTaskExecutionRole')), 'activity/oidc')
  })

  t.test('the load balancer can call the provider, and only with OIDC anything but its tasks', async (t) => {
    const anywhere = ({ listener }: Synthesis) => {
      const { Properties } = listener.one('EC2::SecurityGroup', 'NetworkEntryGroup')
      const egress = (Properties.SecurityGroupEgress ?? []) as unknown as Record<string, unknown>[]
      return egress.filter(({ CidrIp }) => CidrIp === '0.0.0.0/0').map(({ FromPort }) => FromPort)
    }
    t.strictSame(anywhere(trial!), [443])
    t.strictSame(anywhere(several!), [])
  })

  t.test('the firewall does not log session cookies', async (t) => {
    const { RedactedFields } = trial!.listener.one('WAFv2::LoggingConfiguration').Properties
    const names = (RedactedFields as unknown as { SingleHeader: { Name: string } }[]).map(
      ({ SingleHeader }) => SingleHeader.Name
    )
    t.ok(names.includes('cookie'))
  })

  t.test('the role reads the journal, sends to the queue, and writes only what repairs write', async (t) => {
    const actionsOn = (pattern: RegExp, exceptions: RegExp) =>
      [several!, trial!].flatMap(({ home }) =>
        statementsOf(home, 'ServicesActivityTaskTaskRole')
          .filter(({ on }) => pattern.test(on) && !exceptions.test(on))
          .flatMap(({ actions }) => actions)
      )
    const journal = /:table\/cloudinary-listener-journal/
    const queue = /QueuesQueue/
    // an update has a test of its own, with its conditions
    const onJournal = actionsOn(journal, /^$/).filter((action) => action !== 'dynamodb:UpdateItem')
    for (const action of onJournal) t.match(action, /^dynamodb:(GetItem|BatchGetItem|Query)$/)
    for (const action of actionsOn(queue, /^$/)) t.equal(action, 'sqs:SendMessage')
    // keys are those of the data; dead letters have a test of their own
    const others = actionsOn(
      /./,
      new RegExp([journal, queue, /QueuesDeadLetterQueue/].map((e) => e.source).join('|'))
    )
    for (const action of others) t.match(action, /^kms:/)
    t.ok(onJournal.length > 0 && actionsOn(queue, /^$/).length > 0)
  })

  t.test('alarms and a row of the dashboard watch the role, if it runs', async (t) => {
    const own = ['NoHealthyActivity', 'ActivityErrors', 'ActivityThrottled']
    t.match(alarmsOf(trial!.listener), {
      NoHealthyActivity: {
        MetricName: 'HealthyHostCount',
        ComparisonOperator: 'LessThanThreshold',
        TreatMissingData: 'breaching'
      },
      ActivityErrors: { MetricName: 'HTTPCode_Target_5XX_Count' },
      ActivityThrottled: { Metrics: [{ Expression: 'FILL(query, 0) + FILL(batchgetitem, 0)' }] }
    })
    for (const name of ['NoHealthyActivity', 'ActivityErrors']) {
      t.match(JSON.stringify(alarmsOf(trial!.listener)[name]!.Dimensions), /EntryActivity/, name)
    }
    t.notOk(Object.keys(alarmsOf(plain!.listener)).some((name) => own.includes(name)))
    const documented = ({ listener }: Synthesis) =>
      [...overviewOf(listener).matchAll(/Activity page: /g)].length
    t.strictSame([plain!, several!, trial!].map(documented), [0, 3, 3])
    t.match(overviewOf(trial!.listener), /ELBAuthError/)
    t.notMatch(overviewOf(several!.listener), /ELBAuthError/)
    t.match(overviewOf(several!.listener), '/cloudinary-listener/activity')
    t.notMatch(overviewOf(plain!.listener), '/cloudinary-listener/activity')
  })

  t.test('errors of the page do not look like notifications that were not stored', async (t) => {
    const metrics = JSON.stringify(alarmsOf(trial!.listener).ServerErrors!.Metrics)
    t.match(metrics, /EntryWeb/)
    t.notMatch(metrics, /EntryActivity/)
  })
}
