import { pino } from 'pino'
import { type CloudinaryStandIn, startCloudinary } from './cloudinary/server.ts'
import { COLLEAGUE, LOCAL_CLOUDINARY } from './defaults.ts'
import { type EmbeddedSqs, startSqs } from './sqs.ts'

export interface StandInsOptions {
  /** Default 127.0.0.1. */
  host?: string
  /** The name others reach them by; default the host. */
  advertisedHost?: string
  /** Default 0: a free one. */
  sqsPort?: number
  cloudinaryPort?: number
  /** Where the Cloudinary stand-in sends notifications; may be set later. */
  webhookUrl?: string
  /** Multiplies the 3, 6 and 9 minutes after which it sends one again that was not answered 200. */
  retryScale?: number
}

export interface StandIns {
  cloudinary: CloudinaryStandIn
  sqs: EmbeddedSqs
  /** The variables that make a role of the listener use them. */
  environment: Record<string, string>
  stop: () => Promise<void>
}

/** The structured metadata fields of a new environment: what the listener's default processors use. */
const METADATA_FIELDS = [
  { external_id: 'last_update_timestamp', label: 'Last update', type: 'string' },
  { external_id: 'cms_id', label: 'CMS id', type: 'string' }
]

/** Starts everything of the outside that the listener needs, on this machine. */
export async function startStandIns(options: StandInsOptions = {}): Promise<StandIns> {
  const { host = '127.0.0.1', advertisedHost = host, webhookUrl, retryScale } = options
  const sqs = await startSqs({ port: options.sqsPort ?? 0, advertisedHost })
  const cloudinary = await startCloudinary({
    host,
    port: options.cloudinaryPort ?? 0,
    environments: [{ ...LOCAL_CLOUDINARY, foreignKeys: [COLLEAGUE] }],
    ...(webhookUrl && { notificationUrl: webhookUrl }),
    ...(retryScale !== undefined && { retryScale })
  })
  await createMetadataFields(cloudinary.url)
  return {
    cloudinary,
    sqs,
    environment: {
      ...sqs.environment,
      QUEUE_URL: sqs.queueUrl,
      CLOUDINARY_URL: cloudinary.cloudinaryUrl()
    },
    async stop() {
      await Promise.all([sqs.stop(), cloudinary.stop()])
    }
  }
}

async function createMetadataFields(cloudinaryUrl: string): Promise<void> {
  const { apiKey, apiSecret, cloudName } = LOCAL_CLOUDINARY
  for (const field of METADATA_FIELDS) {
    const answer = await fetch(`${cloudinaryUrl}/v1_1/${cloudName}/metadata_fields`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`,
        'content-type': 'application/json'
      },
      body: JSON.stringify(field)
    })
    if (!answer.ok)
      throw new Error(`cannot create the metadata field ${field.external_id}: ${await answer.text()}`)
  }
}

if (import.meta.main) {
  const log = pino({ base: { role: 'stand-ins' }, timestamp: pino.stdTimeFunctions.isoTime })
  const {
    STAND_INS_HOST: host,
    STAND_INS_ADVERTISED_HOST: advertisedHost,
    WEBHOOK_URL: webhookUrl
  } = process.env
  const standIns = await startStandIns({
    sqsPort: 4566,
    cloudinaryPort: 4000,
    ...(host && { host }),
    ...(advertisedHost && { advertisedHost }),
    ...(webhookUrl && { webhookUrl })
  })
  log.info(
    { cloudinary: standIns.cloudinary.url, sqs: standIns.sqs.url, webhookUrl },
    'the stand-ins are ready'
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void standIns.stop().then(() => process.exit(0)))
  }
}
