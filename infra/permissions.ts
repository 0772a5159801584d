import { Stack } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import { ACTIVITY_ID_PREFIX } from '../app/journal/activity-partitions.ts'
import { JOURNAL, JOURNAL_INDEXES } from '../app/journal/journal-table.ts'
import { namesOf, secretArn } from './names.ts'
import type { Queues } from './queues.ts'
import type { Settings } from './settings.ts'

/** Actions, and what they are done to. */
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
  /** Of the processor `notify`. */
  topicArn: string | undefined
  /** The customer's own keys: of queues and topic, and of secrets and journal. */
  key: IKey | undefined
  stateKey: IKey | undefined
}

const TAKE_MESSAGES = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility']

/** What DynamoDB does with a table's key in the name of whoever calls it. */
const TABLE_KEY = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:DescribeKey'
]

/** What each role may do, and on what: exactly the calls that its code makes. */
export function permissionsOf(options: PermissionsOptions) {
  const { scope, settings, queues, topicArn, key, stateKey } = options
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
  /** Lets a role that anyone can reach write its counts and samples, and no event. */
  const mayCount = (...kinds: (keyof typeof ACTIVITY_ID_PREFIX)[]): Permission => ({
    ...journal.may('dynamodb:PutItem'),
    conditions: {
      'ForAllValues:StringLike': {
        'dynamodb:LeadingKeys': kinds.map((kind) => `${ACTIVITY_ID_PREFIX[kind]}*`)
      },
      // without it a request that names no key would do
      Null: { 'dynamodb:LeadingKeys': ['false'] }
    }
  })
  // a queue's key is used by whoever sends and whoever receives
  const ofKeys = (...stateActions: string[]): Permission[] => [
    ...(key ? [on(key.keyArn).may('kms:GenerateDataKey', 'kms:Decrypt')] : []),
    ...(stateKey ? [on(stateKey.keyArn).may(...stateActions)] : [])
  ]
  const read = secret.may('secretsmanager:GetSecretValue')
  return {
    web: [
      read,
      queue.may('sqs:SendMessage', 'sqs:GetQueueAttributes'),
      mayCount('minute', 'refused'),
      ...ofKeys(...TABLE_KEY)
    ],
    poll: [read, queue.may('sqs:SendMessage'), mayCount('minute'), ...ofKeys(...TABLE_KEY)],
    worker: [
      read,
      queue.may(...TAKE_MESSAGES, 'sqs:GetQueueAttributes'),
      deadLetters.may('sqs:SendMessage', 'sqs:GetQueueAttributes'),
      // events, counts and samples, and what processors remember
      journal.may('dynamodb:UpdateItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'),
      ...(topicArn ? [on(topicArn).may('sns:Publish')] : []),
      ...ofKeys(...TABLE_KEY)
    ],
    reconcile: [
      read,
      queue.may('sqs:SendMessage', 'sqs:GetQueueAttributes'),
      // which events are known, and how far it has come
      journal.may('dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem'),
      feed.may('dynamodb:Query'),
      ...ofKeys(...TABLE_KEY)
    ],
    /** Reads, and sends replays. */
    activity: [
      queue.may('sqs:SendMessage'),
      journal.may('dynamodb:GetItem', 'dynamodb:BatchGetItem'),
      indexes.may('dynamodb:Query'),
      ...ofKeys(...TABLE_KEY)
    ],
    /** `doctor`, `redrive`, `replay`, `migrate`, `setup` and `changes`, run by hand. */
    operator: [
      read,
      queue.may('sqs:SendMessage', 'sqs:GetQueueAttributes'),
      deadLetters.may(...TAKE_MESSAGES, 'sqs:GetQueueAttributes'),
      journal.may('dynamodb:GetItem', 'dynamodb:DescribeTable', 'dynamodb:DescribeTimeToLive'),
      ...(topicArn ? [on(topicArn).may('sns:GetTopicAttributes')] : []),
      ...ofKeys(...TABLE_KEY)
    ]
  } satisfies Record<string, Permission[]>
}
