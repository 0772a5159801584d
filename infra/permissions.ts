import { Stack } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import { SCHEDULES_STATE } from '../app/commands/schedules/schedule-progress.ts'
import { ACTIVITY_ID_PREFIX } from '../app/journal/activity-partitions.ts'
import { DISCARD_ATTRIBUTES } from '../app/journal/discard-event.ts'
import { JOURNAL, JOURNAL_INDEXES } from '../app/journal/journal-table.ts'
import { KEY_USE_ACTIONS } from './customer-key.ts'
import type { Queues } from './queues.ts'
import { namesOf, secretArn } from './resource-names.ts'
import type { Settings } from './settings.ts'

export interface Permission {
  actions: string[]
  resources: string[]
  /** What else must hold, in the terms of IAM. */
  conditions?: Record<string, Record<string, string[]>>
}

export interface PermissionsOptions {
  scope: Construct
  settings: Settings
  queues: Queues
  /** Topic of the processor `notify`. */
  topicArn: string | undefined
  /** Bucket of the processor `archive`. */
  archiveBucket: string | undefined
  /** Customer key of queues and topics. */
  key: IKey | undefined
  /** Customer key of secrets and journal. */
  stateKey: IKey | undefined
}

const RECEIVE_MESSAGES = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility']

/** Returns the permissions of each role: exactly the calls that its code makes. */
export function permissionsOf(options: PermissionsOptions) {
  const { scope, settings, queues, topicArn, archiveBucket, key, stateKey } = options
  const stack = Stack.of(scope)
  const names = namesOf(settings.name)
  const tableArn = stack.formatArn({ service: 'dynamodb', resource: 'table', resourceName: names.journal })
  const on = (...resources: string[]) => ({
    may: (...actions: string[]): Permission => ({ actions, resources })
  })
  const secret = on(secretArn(stack, names.secret))
  const queue = on(queues.queue.queueArn)
  const deadLetters = on(queues.deadLetterQueue.queueArn)
  const journal = on(tableArn)
  const feed = on(`${tableArn}/index/${JOURNAL.feedIndex.name}`)
  const indexes = on(...JOURNAL_INDEXES.map(({ name }) => `${tableArn}/index/${name}`))
  type ItemKind = keyof typeof ACTIVITY_ID_PREFIX
  const onlyItems = (...kinds: ItemKind[]): NonNullable<Permission['conditions']> => ({
    'ForAllValues:StringLike': {
      'dynamodb:LeadingKeys': kinds.map((kind) => `${ACTIVITY_ID_PREFIX[kind]}*`)
    },
    // without this, a request that names no key would be allowed
    Null: { 'dynamodb:LeadingKeys': ['false'] }
  })
  /** Lets a role write its counts and samples, but no event. */
  const mayCount = (...kinds: ItemKind[]): Permission => ({
    ...journal.may('dynamodb:PutItem'),
    conditions: onlyItems(...kinds)
  })
  /** Lets a role write the progress of its repairs, and mark dead events as discarded. */
  const mayRepair: Permission[] = [
    { ...journal.may('dynamodb:UpdateItem'), conditions: onlyItems('repair') },
    {
      ...journal.may('dynamodb:UpdateItem'),
      conditions: {
        'ForAllValues:StringEquals': { 'dynamodb:Attributes': [...DISCARD_ATTRIBUTES] },
        Null: { 'dynamodb:Attributes': ['false'] }
      }
    }
  ]
  const bucketArn = archiveBucket && `arn:${stack.partition}:s3:::${archiveBucket}`
  const busArn =
    settings.eventBus &&
    stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: settings.eventBus })
  /** Lets a command keep its state in the journal. */
  const mayKeepState = (command: string): Permission => ({
    ...journal.may('dynamodb:GetItem', 'dynamodb:PutItem'),
    conditions: {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`command/${command}/*`] },
      Null: { 'dynamodb:LeadingKeys': ['false'] }
    }
  })
  // both senders and receivers use a queue's key
  const keys = (...stateActions: string[]): Permission[] => [
    ...(key ? [on(key.keyArn).may('kms:GenerateDataKey', 'kms:Decrypt')] : []),
    ...(stateKey ? [on(stateKey.keyArn).may(...stateActions)] : [])
  ]
  const distributions = (action: string): Permission[] => {
    const arns = settings.cloudFrontDistributions.map((resourceName) =>
      stack.formatArn({ service: 'cloudfront', region: '', resource: 'distribution', resourceName })
    )
    return arns.length > 0 ? [on(...arns).may(action)] : []
  }
  const read = secret.may('secretsmanager:GetSecretValue')
  return {
    web: [
      read,
      queue.may('sqs:SendMessage', 'sqs:GetQueueAttributes'),
      mayCount('minute', 'refused'),
      ...keys(...KEY_USE_ACTIONS)
    ],
    poll: [read, queue.may('sqs:SendMessage'), mayCount('minute'), ...keys(...KEY_USE_ACTIONS)],
    worker: [
      read,
      queue.may(...RECEIVE_MESSAGES, 'sqs:GetQueueAttributes'),
      deadLetters.may('sqs:SendMessage', 'sqs:GetQueueAttributes'),
      // events, counts, samples and processor state
      journal.may('dynamodb:UpdateItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'),
      ...(topicArn ? [on(topicArn).may('sns:Publish')] : []),
      ...distributions('cloudfront:CreateInvalidation'),
      ...(bucketArn ? [on(`${bucketArn}/*`).may('s3:PutObject')] : []),
      ...(busArn ? [on(busArn).may('events:PutEvents')] : []),
      ...keys(...KEY_USE_ACTIONS)
    ],
    reconcile: [
      read,
      queue.may('sqs:SendMessage', 'sqs:GetQueueAttributes'),
      // known events and watermarks
      journal.may('dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem'),
      feed.may('dynamodb:Query'),
      ...keys(...KEY_USE_ACTIONS)
    ],
    /** Searches Cloudinary, and sends the events. */
    schedules: [
      read,
      queue.may('sqs:SendMessage'),
      mayKeepState(SCHEDULES_STATE),
      ...keys(...KEY_USE_ACTIONS)
    ],
    /** Signs a notification, and reads its outcome. */
    canary: [
      read,
      journal.may('dynamodb:GetItem'),
      ...(stateKey ? [on(stateKey.keyArn).may(...KEY_USE_ACTIONS)] : [])
    ],
    /** Reads, sends replays, and discards dead events (docs/decisions/0023). */
    activity: [
      queue.may('sqs:SendMessage'),
      deadLetters.may(...RECEIVE_MESSAGES, 'sqs:GetQueueAttributes'),
      ...mayRepair,
      journal.may('dynamodb:GetItem', 'dynamodb:BatchGetItem'),
      indexes.may('dynamodb:Query'),
      ...keys(...KEY_USE_ACTIONS)
    ],
    /** The commands `doctor`, `redrive`, `replay`, `migrate`, `setup`, `changes` and `schedules`, started by hand. */
    operator: [
      read,
      queue.may('sqs:SendMessage', 'sqs:GetQueueAttributes'),
      deadLetters.may(...RECEIVE_MESSAGES, 'sqs:GetQueueAttributes'),
      journal.may('dynamodb:GetItem', 'dynamodb:DescribeTable', 'dynamodb:DescribeTimeToLive'),
      mayKeepState(SCHEDULES_STATE),
      ...(topicArn ? [on(topicArn).may('sns:GetTopicAttributes')] : []),
      ...distributions('cloudfront:GetDistribution'),
      ...(bucketArn ? [on(bucketArn).may('s3:ListBucket')] : []),
      ...(busArn ? [on(busArn).may('events:DescribeEventBus')] : []),
      ...keys(...KEY_USE_ACTIONS)
    ]
  } satisfies Record<string, Permission[]>
}
