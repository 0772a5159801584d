import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { TOPIC_NAME, TOPICS } from './sns.ts'

export interface EmbeddedSqs {
  /** The endpoint. */
  readonly url: string
  readonly queueUrl: string
  readonly deadLetterQueueUrl: string
  /** SNS topic, on the same endpoint. */
  readonly topicArn: string
  /** S3 bucket, on the same endpoint. */
  readonly bucket: string
  /** Variables that point the AWS SDK of a process here. */
  readonly environment: Readonly<Record<string, string>>
  /** Gives access to the queues past the API. */
  readonly server: FauxqsServer
  stop(): Promise<void>
}

export const QUEUE_NAME = 'cloudinary-events.fifo'
export const DEAD_LETTER_QUEUE_NAME = 'cloudinary-events-dead-letters.fifo'

/** Bucket of `archive`. */
export const BUCKET_NAME = 'cloudinary-archive'

const REGION = 'us-east-1'
const ACCOUNT = '000000000000'
const FOURTEEN_DAYS = String(14 * 24 * 60 * 60)

/** The queues of production. */
const QUEUES: { name: string; attributes: Record<string, string> }[] = [
  {
    name: DEAD_LETTER_QUEUE_NAME,
    attributes: { FifoQueue: 'true', MessageRetentionPeriod: FOURTEEN_DAYS }
  },
  {
    name: QUEUE_NAME,
    attributes: {
      FifoQueue: 'true',
      VisibilityTimeout: '60',
      MessageRetentionPeriod: FOURTEEN_DAYS,
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${DEAD_LETTER_QUEUE_NAME}`,
        maxReceiveCount: 1000
      })
    }
  }
]

export interface SqsOptions {
  /** Port to listen on. (Default: any free port) */
  port?: number
  /** Address to listen on. (Default: 127.0.0.1) */
  host?: string
  /** Name or address of this machine for others. (Default: the host) */
  advertisedHost?: string
}

/**
 * Starts SQS, SNS and S3 in memory, with the listener's queues, a topic and a bucket. Accepts any credentials.
 *
 * The queue URLs name the advertised host, since `sqs.us-east-1.localhost`, the host of fauxqs, does not
 * resolve everywhere, and the AWS SDK calls the host of the queue URL rather than AWS_ENDPOINT_URL_SQS.
 * fauxqs reads only the last part of the URL.
 */
export async function startSqs(options: SqsOptions = {}): Promise<EmbeddedSqs> {
  const { port = 0, host = '127.0.0.1', advertisedHost = host === '0.0.0.0' ? '127.0.0.1' : host } = options
  const server = await listeningOn(host, () =>
    startFauxqs({
      port,
      defaultRegion: REGION,
      logger: false,
      init: { ...TOPICS, queues: [...QUEUES, ...TOPICS.queues], buckets: [BUCKET_NAME] }
    })
  )
  const url = `http://${advertisedHost}:${server.port}`
  return {
    url,
    queueUrl: `${url}/${ACCOUNT}/${QUEUE_NAME}`,
    deadLetterQueueUrl: `${url}/${ACCOUNT}/${DEAD_LETTER_QUEUE_NAME}`,
    bucket: BUCKET_NAME,
    topicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:${TOPIC_NAME}`,
    environment: {
      AWS_ENDPOINT_URL_SQS: url,
      AWS_ENDPOINT_URL_SNS: url,
      AWS_ENDPOINT_URL_S3: url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_PROFILE: '' // a profile would take precedence over the credentials
    },
    server,
    stop: () => server.stop()
  }
}

/**
 * Makes the Fastify server that `start` creates synchronously listen on an address. fauxqs 2.4.1 has no
 * option for it, and on all interfaces anyone on the network could read and send messages.
 */
function listeningOn<T>(host: string, start: () => T): T {
  const bind = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    const listen = fastify.listen.bind(fastify) as (options: object) => Promise<string>
    Object.assign(fastify, { listen: (options: object) => listen({ ...options, host }) })
  }
  // Source: https://fastify.dev/docs/latest/Reference/Hooks/#diagnostics-channel-hooks
  subscribe('fastify.initialization', bind)
  try {
    return start()
  } finally {
    unsubscribe('fastify.initialization', bind)
  }
}
