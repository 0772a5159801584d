const DOMAIN = { domainName: 'hooks.example.com', hostedZoneId: 'Z0123456789' }

const VPC = {
  vpcId: 'vpc-0a0a0a0a',
  availabilityZones: ['eu-west-1a', 'eu-west-1b'],
  publicSubnetIds: ['subnet-aaaaaaaa', 'subnet-bbbbbbbb'],
  privateSubnetIds: ['subnet-cccccccc', 'subnet-dddddddd']
}

const OIDC = {
  issuer: 'https://login.example.com',
  authorizationEndpoint: 'https://login.example.com/authorize',
  tokenEndpoint: 'https://login.example.com/token',
  userInfoEndpoint: 'https://login.example.com/userinfo',
  clientId: 'listener'
}

/** Settings of the configurations that `npm run check:infra` validates: each that adds or changes resources. */
export const CONFIGURATIONS: Record<string, Record<string, unknown>> = {
  defaults: {},
  domain: { ...DOMAIN, canaryEvery: 'rate(5 minutes)', alarmEmails: 'oncall@example.com' },
  'three zones': { ...DOMAIN, zones: 3, natPerZone: true, logRetentionDays: 365 },
  'without endpoints': {
    ...DOMAIN,
    interfaceEndpoints: false,
    architecture: 'x86_64',
    reconcileEvery: 'never'
  },
  'customer key': {
    ...DOMAIN,
    customerKey: true,
    forward: true,
    notify: true,
    notifyEmails: 'editor@example.com',
    notifyPhones: '+14155550100',
    secretVariables: 'CMS_TOKEN',
    archive: true,
    schedulesEvery: 'rate(5 minutes)'
  },
  'activity page': {
    ...DOMAIN,
    activity: true,
    activityReadTokens: true,
    activityAllowedOrigins: 'https://www.example.com'
  },
  'activity page with a login': { ...DOMAIN, activity: true, activityOidc: OIDC },
  'two regions': {
    ...DOMAIN,
    regions: 'us-east-1,eu-west-1',
    homeRegion: 'eu-west-1',
    pollChannel: 'assets',
    activity: true,
    customerKey: true,
    database: 'secret',
    otlpEndpoint: 'http://collector.internal:4318',
    worker: { minimumTasks: 2, spot: true },
    variables: { CMS_URL: 'https://cms.example.com' }
  },
  aurora: { ...DOMAIN, database: 'aurora', customerKey: true, reconcileTypes: 'upload' },
  'own VPC and certificate': {
    regions: 'eu-west-1',
    domainName: 'hooks.example.com',
    certificateArns: { 'eu-west-1': 'arn:aws:acm:eu-west-1:111111111111:certificate/own' },
    vpc: { 'eu-west-1': VPC },
    worker: { minimumTasks: 0 },
    archive: true,
    eventBus: 'default',
    cloudFrontDistributions: 'E2EXAMPLE1234'
  },
  trial: { ...DOMAIN, retainData: false, database: 'aurora', activity: true, bodyLimitBytes: 100_000 }
}
