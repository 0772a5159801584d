import { ArnFormat, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Dashboard } from 'aws-cdk-lib/aws-cloudwatch'
import { Secret as EcsSecret } from 'aws-cdk-lib/aws-ecs'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { Activity } from './activity.ts'
import { Alarms } from './alarms.ts'
import { Overview } from './dashboard.ts'
import { Database } from './database.ts'
import { Domain } from './domain.ts'
import { Entry } from './entry.ts'
import { Firewall } from './firewall.ts'
import { createKey } from './key.ts'
import { namesOf } from './names.ts'
import { Network } from './network.ts'
import { Queues } from './queues.ts'
import { Services } from './services.ts'
import type { Settings } from './settings.ts'
import { createTopic } from './topics.ts'

export interface ListenerStackProps extends StackProps {
  settings: Settings
  region: string
  /** Of the key of secrets and journal; undefined where AWS's keys are used. */
  stateKeyArn: string | undefined
}

/** The listener in one region: all there but what the state stack holds. */
export class ListenerStack extends Stack {
  readonly #settings: Settings

  constructor(scope: Construct, id: string, { settings, region, stateKeyArn, ...props }: ListenerStackProps) {
    super(scope, id, { ...props, description: 'Listener for Cloudinary notifications' })
    const stateKey = stateKeyArn ? Key.fromKeyArn(this, 'StateKey', stateKeyArn) : undefined
    this.#settings = settings
    const { name, domainName } = settings
    const key = settings.customerKey ? createKey(this, settings) : undefined
    const network = new Network(this, 'Network', { settings, region, key })
    const domain = domainName ? new Domain(this, 'Domain', { settings, region, domainName }) : undefined
    const entry = new Entry(this, 'Entry', { settings, network, certificate: domain?.certificate })
    domain?.leadTo(entry.loadBalancer)
    new Firewall(this, 'Firewall', { settings, loadBalancer: entry.loadBalancer, key })
    const queues = new Queues(this, 'Queues', { settings, key })
    const topic = settings.notify
      ? createTopic(this, 'Notify', {
          settings,
          use: 'notify',
          emails: settings.notifyEmails,
          phones: settings.notifyPhones,
          key
        })
      : undefined
    const database =
      settings.database === 'aurora' ? new Database(this, 'Database', { settings, network, key }) : undefined
    const alarmTopic = createTopic(this, 'AlarmTopic', {
      settings,
      use: 'alarms',
      emails: settings.alarmEmails,
      key
    })
    const services = new Services(this, 'Services', {
      settings,
      network,
      entry,
      queues,
      key,
      stateKey,
      topicArn: topic?.topicArn,
      database,
      databaseUrl: database?.url,
      secrets: { ...this.#secrets(stateKey), ...database?.secrets },
      isHomeRegion: region === (settings.homeRegion ?? settings.regions[0]),
      alarmTopic
    })
    const watched = { settings, region, entry, queues, services }
    const { alarms } = new Alarms(this, 'Alarms', {
      ...watched,
      topic: alarmTopic
    })
    const overview = new Overview(this, 'Overview', { ...watched, alarms })
    const activity = new Activity(this, 'Activity', watched)
    const urlOf = ({ dashboardName }: Dashboard) =>
      `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards:name=${dashboardName}`

    new CfnOutput(this, 'WebhookUrl', { description: 'paste it into Cloudinary', value: entry.webhookUrl })
    new CfnOutput(this, 'DashboardUrl', { description: 'is it well?', value: urlOf(overview.dashboard) })
    new CfnOutput(this, 'ActivityUrl', { description: 'what did it do?', value: urlOf(activity.dashboard) })
    new CfnOutput(this, 'SecretName', { value: namesOf(name).secret })
    new CfnOutput(this, 'NextCommand', {
      description:
        'has the listener create in Cloudinary what it needs; docs/deploy.md has the other commands',
      value: services.commandLine('setup')
    })
  }

  /** What processors are handed as variables. */
  #secrets(stateKey: IKey | undefined): Record<string, EcsSecret> {
    const { name, forward, database, secretVariables } = this.#settings
    const { forwardSecret, databaseSecret, processorsSecret } = namesOf(name)
    const named = (id: string, secretName: string) => {
      const secretPartialArn = this.formatArn({
        service: 'secretsmanager',
        resource: 'secret',
        resourceName: secretName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME
      })
      return Secret.fromSecretAttributes(this, id, {
        secretPartialArn,
        ...(stateKey && { encryptionKey: stateKey })
      })
    }
    const whole = (id: string, secretName: string) => EcsSecret.fromSecretsManager(named(id, secretName))
    const ofProcessors = secretVariables.length > 0 ? named('ProcessorsSecret', processorsSecret) : undefined
    return {
      ...(ofProcessors &&
        Object.fromEntries(
          secretVariables.map((variable) => [variable, EcsSecret.fromSecretsManager(ofProcessors, variable)])
        )),
      ...(forward && { FORWARD_SECRET: whole('ForwardSecret', forwardSecret) }),
      ...(database === 'secret' && { DATABASE_URL: whole('DatabaseSecret', databaseSecret) })
    }
  }
}
