import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import {
  DeduplicationScope,
  FifoThroughputLimit,
  Queue,
  QueueEncryption,
  RedrivePermission
} from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { namesOf } from './resource-names.ts'
import type { Settings } from './settings.ts'
import { MAX_RECEIVES, TIMINGS } from './timings.ts'

export interface QueuesProps {
  settings: Settings
  /** Customer key; undefined uses SQS-managed encryption. */
  key: IKey | undefined
}

/** The FIFO queue and its dead-letter queue. */
export class Queues extends Construct {
  readonly queue: Queue
  readonly deadLetterQueue: Queue

  constructor(scope: Construct, id: string, { settings, key }: QueuesProps) {
    super(scope, id)
    const names = namesOf(settings.name)
    const common = {
      fifo: true,
      // high-throughput mode: thousands of messages a second instead of 300
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
      retentionPeriod: Duration.seconds(TIMINGS.retention.seconds),
      enforceSSL: true,
      removalPolicy: settings.retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
      ...(key
        ? { encryption: QueueEncryption.KMS, encryptionMasterKey: key, dataKeyReuse: Duration.hours(1) }
        : { encryption: QueueEncryption.SQS_MANAGED })
    }
    // the queue is given by name, because it refers to its dead-letter queue
    const source = Queue.fromQueueArn(
      this,
      'Source',
      Stack.of(this).formatArn({ service: 'sqs', resource: names.queue })
    )
    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      ...common,
      queueName: names.deadLetterQueue,
      redriveAllowPolicy: { redrivePermission: RedrivePermission.BY_QUEUE, sourceQueues: [source] }
    })
    this.queue = new Queue(this, 'Queue', {
      ...common,
      queueName: names.queue,
      redriveAllowPolicy: { redrivePermission: RedrivePermission.DENY_ALL },
      visibilityTimeout: Duration.seconds(TIMINGS.visibility.seconds),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVES }
    })
  }
}
