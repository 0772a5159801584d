import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Dashboard } from 'aws-cdk-lib/aws-cloudwatch'
import { Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import { USER_NAME } from '../app/activity/access.ts'
import { createAlarmTopic } from './alarm-topic.ts'
import { Alarms } from './alarms.ts'
import { containerSecrets } from './container-secrets.ts'
import { allowLogs, createCustomerKey } from './customer-key.ts'
import { Database } from './database.ts'
import { DeploymentAlarms } from './deployment-alarms.ts'
import { Domain } from './domain.ts'
import { Firewall } from './firewall.ts'
import { LoadBalancer } from './load-balancer.ts'
import { LogDashboard } from './log-dashboard.ts'
import { Network } from './network.ts'
import { OverviewDashboard } from './overview-dashboard.ts'
import { Queues } from './queues.ts'
import { namesOf } from './resource-names.ts'
import { Services } from './services.ts'
import type { Settings } from './settings.ts'
import { createTopic } from './topics.ts'

export interface ListenerStackProps extends StackProps {
  settings: Settings
  region: string
  /** KMS key of the secrets and the journal; undefined with keys of AWS. */
  stateKeyArn: string | undefined
}

/**
 * The listener in one region: everything except the journal and the secrets, which are in the state stack.
 */
export class ListenerStack extends Stack {
  constructor(scope: Construct, id: string, { settings, region, stateKeyArn, ...props }: ListenerStackProps) {
    super(scope, id, { ...props, description: 'Listener for Cloudinary notifications' })
    const stateKey = stateKeyArn ? Key.fromKeyArn(this, 'StateKey', stateKeyArn) : undefined
    const { name, domainName } = settings
    const key = settings.customerKey ? createCustomerKey(this, settings) : undefined
    if (key) allowLogs(key, settings)
    const network = new Network(this, 'Network', { settings, region, key })
    const domain = domainName ? new Domain(this, 'Domain', { settings, region, domainName }) : undefined
    // Do not rename these ids: CloudFormation would replace what is below them
    const certificate = domain?.certificate
    const loadBalancer = new LoadBalancer(this, 'Entry', { settings, network, certificate })
    domain?.pointTo(loadBalancer.balancer)
    const firewall = new Firewall(this, 'Firewall', { settings, loadBalancer: loadBalancer.balancer, key })
    const queues = new Queues(this, 'Queues', { settings, key })
    const topic = settings.notify
      ? createTopic(this, 'Notify', {
          settings,
          suffix: 'notify',
          emails: settings.notifyEmails,
          phones: settings.notifyPhones,
          key
        })
      : undefined
    const database =
      settings.database === 'aurora' ? new Database(this, 'Database', { settings, network, key }) : undefined
    const alarmTopic = createAlarmTopic(this, settings, region, key)
    const secrets = containerSecrets(this, settings, stateKey)
    const services = new Services(this, 'Services', {
      settings,
      network,
      loadBalancer,
      queues,
      key,
      stateKey,
      topicArn: topic?.topicArn,
      archiveBucket: settings.archive ? namesOf(name).archiveBucket(this.account) : undefined,
      database,
      databaseUrl: database?.url,
      secrets: { ...secrets.processors, ...database?.secrets },
      activitySecrets: secrets.activity,
      isHomeRegion: region === (settings.homeRegion ?? settings.regions[0]),
      alarmTopic,
      deploymentAlarms: new DeploymentAlarms(this, 'DeploymentAlarms', { settings, loadBalancer })
    })
    const monitored = { settings, region, loadBalancer, firewall, queues, services }
    const { alarms } = new Alarms(this, 'Alarms', { ...monitored, topic: alarmTopic })
    const overview = new OverviewDashboard(this, 'Overview', { ...monitored, alarms })
    const logs = new LogDashboard(this, 'Activity', { settings, region })
    const urlOf = ({ dashboardName }: Dashboard) =>
      `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards:name=${dashboardName}`

    new CfnOutput(this, 'WebhookUrl', {
      description: 'Notification URL to enter in Cloudinary',
      value: loadBalancer.webhookUrl
    })
    new CfnOutput(this, 'DashboardUrl', {
      description: 'Dashboard with alarms and metrics',
      value: urlOf(overview.dashboard)
    })
    new CfnOutput(this, 'ActivityUrl', {
      description: 'Dashboard with notifications and the outcome of each event, from the logs',
      value: urlOf(logs.dashboard)
    })
    if (settings.activity) {
      new CfnOutput(this, 'ActivityPageUrl', {
        description: `Activity page; user name ${USER_NAME}, password in the secret ${namesOf(name).activitySecret}`,
        value: `https://${domainName}/activity`
      })
    }
    new CfnOutput(this, 'SecretName', { value: namesOf(name).secret })
    new CfnOutput(this, 'NextCommand', {
      description: 'Runs setup, which creates triggers and metadata fields in Cloudinary (docs/deploy.md)',
      value: services.commandLine('setup')
    })
  }
}
