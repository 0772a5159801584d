import { setTimeout as pause } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import { createLogger } from '../app/logger.ts'
import { COLLEAGUE, LOCAL_CLOUDINARY, LOCAL_FORWARD_SECRET } from '../app/testing/defaults.ts'
import {
  type CloudinaryOptions,
  type CloudinaryStandIn,
  startCloudinary
} from './cloudinary/cloudinary-server.ts'
import { type EmbeddedDynamoDb, startDynamoDb } from './embedded-dynamodb.ts'
import { type EmbeddedSqs, QUEUE_NAME, startSqs } from './embedded-sqs.ts'
import { outboundApi } from './outbound.ts'
import { publishedMessages } from './sns.ts'

export interface StandInsOptions {
  /** Default 127.0.0.1. */
  host?: string
  /** The name others reach them by; default the host. */
  advertisedHost?: string
  /** Default 0: a free one. */
  sqsPort?: number
  dynamoDbPort?: number
  cloudinaryPort?: number
  /** Where the Cloudinary stand-in sends notifications; may be set later. */
  webhookUrl?: string
  /** Multiplies the 3, 6 and 9 minutes after which it sends one again that was not answered 200. */
  retryScale?: number
  /** What `forward` signs with; default: a secret for local use only. */
  forwardSecret?: string | undefined
  /** What else the Cloudinary stand-in is to do. */
  cloudinary?: Partial<CloudinaryOptions>
}

export interface StandIns {
  cloudinary: CloudinaryStandIn
  sqs: EmbeddedSqs
  dynamoDb: EmbeddedDynamoDb
  /** The variables that make a role of the listener use them. */
  environment: Record<string, string>
  /** Resolves when no notification is on its way and no event is in the queue, or when they are stopped. */
  atRest: () => Promise<void>
  stop: () => Promise<void>
}

/** The structured metadata fields of a new environment: what the listener's default processors use. */
const METADATA_FIELDS = [
  { external_id: 'last_update_timestamp', label: 'Last update', type: 'string' },
  { external_id: 'cms_id', label: 'CMS id', type: 'string' }
] as const

/** How often a queue is looked into, in milliseconds. */
const POLL_MS = 20

/** How long a stop of the process may take, in milliseconds, before it ends all the same. */
const STOP_WITHIN_MS = 5000

/** Starts everything of the outside that the listener needs, on this machine. */
export async function startStandIns(options: StandInsOptions = {}): Promise<StandIns> {
  const { host, advertisedHost, sqsPort, dynamoDbPort, cloudinaryPort, webhookUrl, retryScale } = options
  const { forwardSecret = LOCAL_FORWARD_SECRET } = options
  const sqs = await startSqs({ port: sqsPort, host, advertisedHost })
  const dynamoDb = await startDynamoDb({ port: dynamoDbPort, host, advertisedHost })
  const cloudinary = await startCloudinary({
    host,
    port: cloudinaryPort,
    environments: [{ ...LOCAL_CLOUDINARY, foreignKeys: [COLLEAGUE] }],
    notificationUrl: webhookUrl,
    retryScale,
    controls: (app) => outboundApi(app, { forwardSecret, messages: () => publishedMessages(sqs.server) }),
    ...options.cloudinary
  })
  for (const field of METADATA_FIELDS) cloudinary.cloud().metadataFields.create(field)
  const cloudinaryUrl = new URL(cloudinary.url)
  cloudinaryUrl.hostname = new URL(sqs.url).hostname
  cloudinary.cloud().deliveryOrigin = cloudinaryUrl.origin
  let isStopped = false
  return {
    cloudinary,
    sqs,
    dynamoDb,
    environment: {
      ...sqs.environment,
      ...dynamoDb.environment,
      QUEUE_URL: sqs.queueUrl,
      DEAD_LETTER_QUEUE_URL: sqs.deadLetterQueueUrl,
      JOURNAL_TABLE: dynamoDb.tableName,
      CLOUDINARY_URL: cloudinary.cloud().cloudinaryUrl(cloudinaryUrl.origin),
      FORWARD_SECRET: forwardSecret,
      NOTIFY_TOPIC_ARN: sqs.topicArn
    },
    async atRest() {
      const { deliveries, idle } = cloudinary
      // an event that is done may have caused a notification, which is then on its way
      let seen: number
      do {
        seen = deliveries.length
        await idle()
        await pause(POLL_MS)
      } while (!isStopped && (messagesIn(sqs) > 0 || deliveries.length > seen))
    },
    async stop() {
      isStopped = true
      await Promise.all([sqs.stop(), dynamoDb.stop(), cloudinary.stop()])
    }
  }
}

function messagesIn({ server }: EmbeddedSqs): number {
  const { ready, delayed, inflight } = server.inspectQueue(QUEUE_NAME)!.messages
  return ready.length + delayed.length + inflight.length
}

/** Runs them as a process of their own, as docker-compose.yml does. An empty variable counts as not set. */
async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const log = createLogger({ level: 'info', role: 'stand-ins' })
  let standIns: StandIns | undefined
  closeWithGrace({ delay: STOP_WITHIN_MS, logger: undefined }, async ({ err }) => {
    if (err) log.fatal({ err }, 'unexpected error; stopping')
    await standIns?.stop()
    log.info('stopped')
  })
  const webhookUrl = env.WEBHOOK_URL || undefined
  standIns = await startStandIns({
    host: env.STAND_INS_HOST || undefined,
    advertisedHost: env.STAND_INS_ADVERTISED_HOST || undefined,
    sqsPort: Number(env.STAND_INS_SQS_PORT || 4566),
    dynamoDbPort: Number(env.STAND_INS_DYNAMODB_PORT || 8000),
    cloudinaryPort: Number(env.STAND_INS_CLOUDINARY_PORT || 4000),
    webhookUrl,
    forwardSecret: env.FORWARD_SECRET || undefined,
    retryScale: Number(env.STAND_INS_RETRY_SCALE || 1)
  })
  log.info(
    {
      cloudinary: standIns.cloudinary.url,
      sqs: standIns.sqs.url,
      dynamoDb: standIns.dynamoDb.url,
      webhookUrl
    },
    'the stand-ins are ready'
  )
}

if (import.meta.main) await main(process.env)
