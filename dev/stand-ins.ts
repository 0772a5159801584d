import { setTimeout as pause } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import { createLogger } from '../app/logger.ts'
import {
  COLLEAGUE,
  LOCAL_CLOUDINARY,
  LOCAL_FORWARD_SECRET,
  LOCAL_PUBLISH_SECRET
} from '../app/testing/defaults.ts'
import { chatReceiver } from './chat/chat-receiver.ts'
import {
  type CloudinaryOptions,
  type CloudinaryStandIn,
  startCloudinary
} from './cloudinary/cloudinary-server.ts'
import { type CmsStandIns, createCmsStandIns } from './cms/cms-stand-ins.ts'
import { type EmbeddedDynamoDb, startDynamoDb } from './embedded-dynamodb.ts'
import { type EmbeddedSqs, QUEUE_NAME, startSqs } from './embedded-sqs.ts'
import { EVENT_BUS_NAME } from './event-bus.ts'
import { outboundApi } from './outbound.ts'
import { revalidateReceiver } from './revalidate-receiver.ts'
import { publishedMessages } from './sns.ts'

export interface StandInsOptions {
  /** Address to listen on. (Default: 127.0.0.1) */
  host?: string
  /** Name or address of this machine for others. (Default: the host) */
  advertisedHost?: string
  /** Port of SQS. (Default: any free port) */
  sqsPort?: number
  dynamoDbPort?: number
  cloudinaryPort?: number
  /** URL that receives notifications; can be set later. */
  webhookUrl?: string
  /** Multiplies the 3, 6 and 9 minutes before the retries of a notification. */
  retryScale?: number
  /** Secret of `forward`. (Default: a secret for local use only) */
  forwardSecret?: string | undefined
  /** Further options of the Cloudinary stand-in. */
  cloudinary?: Partial<CloudinaryOptions>
}

export interface StandIns {
  cloudinary: CloudinaryStandIn
  sqs: EmbeddedSqs
  dynamoDb: EmbeddedDynamoDb
  cms: Pick<CmsStandIns, 'contentful' | 'sanity'>
  /** Variables that point a role to the stand-ins. */
  environment: Record<string, string>
  /** Resolves when no notification is in flight and the queue is empty, or after `stop`. */
  atRest: () => Promise<void>
  stop: () => Promise<void>
}

/** Metadata fields of the default processors. */
const METADATA_FIELDS = [
  { external_id: 'last_update_timestamp', label: 'Last update', type: 'string' },
  { external_id: 'cms_id', label: 'CMS id', type: 'string' },
  { external_id: 'quarantined', label: 'Quarantine', type: 'string' },
  { external_id: 'expires_on', label: 'Expires on', type: 'date' }
] as const

/** Interval of the queue checks, in milliseconds. */
const POLL_MS = 20

/** Maximum time of a stop, in milliseconds. */
const STOP_WITHIN_MS = 5000

/** Starts stand-ins for SQS, SNS, DynamoDB and Cloudinary. */
export async function startStandIns(options: StandInsOptions = {}): Promise<StandIns> {
  const { host, advertisedHost, sqsPort, dynamoDbPort, cloudinaryPort, webhookUrl, retryScale } = options
  const { forwardSecret = LOCAL_FORWARD_SECRET } = options
  const sqs = await startSqs({ port: sqsPort, host, advertisedHost })
  const dynamoDb = await startDynamoDb({ port: dynamoDbPort, host, advertisedHost })
  const cms = createCmsStandIns()
  const cloudinary = await startCloudinary({
    host,
    port: cloudinaryPort,
    environments: [{ ...LOCAL_CLOUDINARY, foreignKeys: [COLLEAGUE] }],
    notificationUrl: webhookUrl,
    retryScale,
    async controls(app) {
      await app.register(cms.routes)
      await app.register(outboundApi, { forwardSecret, messages: () => publishedMessages(sqs.server) })
      await app.register(chatReceiver)
      await app.register(revalidateReceiver, { publishSecret: LOCAL_PUBLISH_SECRET })
    },
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
    cms,
    environment: {
      ...sqs.environment,
      ...dynamoDb.environment,
      QUEUE_URL: sqs.queueUrl,
      DEAD_LETTER_QUEUE_URL: sqs.deadLetterQueueUrl,
      JOURNAL_TABLE: dynamoDb.tableName,
      CLOUDINARY_URL: cloudinary.cloud().cloudinaryUrl(cloudinaryUrl.origin),
      CHAT_WEBHOOK_URL: `${cloudinary.url}/_standin/chat`,
      FORWARD_SECRET: forwardSecret,
      NOTIFY_TOPIC_ARN: sqs.topicArn,
      PUBLISH_SECRET: LOCAL_PUBLISH_SECRET,
      ARCHIVE_BUCKET: sqs.bucket,
      EVENT_BUS: EVENT_BUS_NAME,
      AWS_ENDPOINT_URL_EVENTBRIDGE: `${cloudinaryUrl.origin}/_standin/event-bridge`
    },
    async atRest() {
      const { deliveries, idle } = cloudinary
      // a processed event may have caused another notification
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

/** Reads the options of the process from its environment. An empty variable counts as unset. */
export function standInsOptions(env: NodeJS.ProcessEnv): StandInsOptions {
  return {
    host: env.STAND_INS_HOST || undefined,
    advertisedHost: env.STAND_INS_ADVERTISED_HOST || undefined,
    sqsPort: Number(env.STAND_INS_SQS_PORT || 4566),
    dynamoDbPort: Number(env.STAND_INS_DYNAMODB_PORT || 8000),
    cloudinaryPort: Number(env.STAND_INS_CLOUDINARY_PORT || 4000),
    webhookUrl: env.WEBHOOK_URL || undefined,
    forwardSecret: env.FORWARD_SECRET || undefined,
    retryScale: Number(env.STAND_INS_RETRY_SCALE || 1)
  }
}

/** Runs the stand-ins as a process, for docker-compose.yml. */
async function main(options: StandInsOptions): Promise<void> {
  const log = createLogger({ level: 'info', role: 'stand-ins' })
  let standIns: StandIns | undefined
  closeWithGrace({ delay: STOP_WITHIN_MS, logger: undefined }, async ({ err }) => {
    if (err) log.fatal({ err }, 'unexpected error; stopping')
    await standIns?.stop()
    log.info('stopped')
  })
  standIns = await startStandIns(options)
  log.info(
    {
      cloudinary: standIns.cloudinary.url,
      sqs: standIns.sqs.url,
      dynamoDb: standIns.dynamoDb.url,
      webhookUrl: options.webhookUrl
    },
    'stand-ins ready'
  )
}

if (import.meta.main) await main(standInsOptions(process.env))
