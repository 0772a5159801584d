import { parse as parseQuery } from 'node:querystring'
import multipart from '@fastify/multipart'
import fastify, { type FastifyPluginAsync } from 'fastify'
import { adminApi } from './admin-api.ts'
import { ApiError } from './api-error.ts'
import { AssetEditor } from './asset-editor.ts'
import type { Asset, Kind } from './asset-store.ts'
import { type Call, isOver } from './calls.ts'
import { cdnRoutes } from './cdn-routes.ts'
import { type ApiKey, Cloud, cloudNamed, type EnvironmentOptions } from './cloud.ts'
import { controlApi } from './control-api.ts'
import { DefaultTriggers } from './default-triggers.ts'
import { Drops } from './drops.ts'
import type { EagerRules } from './eager-transformations.ts'
import { Faults } from './faults.ts'
import { intercept } from './intercept.ts'
import { notificationsApi } from './notifications-api.ts'
import { type Delivery, Notifier } from './notifier.ts'
import { Recorder } from './recorder.ts'
import type { SignatureAlgorithm } from './request-signature.ts'
import type { SearchLag } from './search-index.ts'
import { uploadApi } from './upload-api.ts'

export type { AssetEditor } from './asset-editor.ts'
export type { Asset, Kind } from './asset-store.ts'
export type { Call } from './calls.ts'
export type { ApiKey, Cloud, EnvironmentOptions } from './cloud.ts'
export type { Fault, Faults } from './faults.ts'
export type { Delivery } from './notifier.ts'

export interface CloudinaryOptions {
  /** Product environments. The first one is the default of all methods. */
  environments: [EnvironmentOptions, ...EnvironmentOptions[]]
  /** Port to listen on. (Default: any free port) */
  port?: number
  /** Address to listen on. (Default: 127.0.0.1) */
  host?: string
  /** Target of an additive trigger on all types in each cloud; can be set later. */
  notificationUrl?: string
  /** Algorithm of calls and notifications. (Default: sha1) */
  signatureAlgorithm?: SignatureAlgorithm
  /** Delays before the retries of a delivery. (Default: 3, 6 and 9 minutes) */
  retryDelaysMs?: number[]
  /** Multiplies these delays, to shorten tests. (Default: 1) */
  retryScale?: number
  /** Timeout of a delivery, in milliseconds. (Default: 20,000) */
  deliveryTimeoutMs?: number
  /** Maximum number of deliveries in flight. (Default: 256) */
  deliveryConcurrency?: number
  /** Signs each attempt anew. It is not known whether Cloudinary does. (Default: false) */
  resign?: boolean
  /** Sends notifications as before 2024: without author and time, some without the kind. (Default: false) */
  oldNotifications?: boolean
  /** Unix time, milliseconds. (Default: the system clock) */
  clock?: () => number
  /** Maximum number of recorded calls, and of recorded deliveries. (Default: 100,000) */
  maxRecords?: number
  /** Larger videos require `eager_async`. (Default: 40 MB, as on a free plan) */
  videoSyncLimitBytes?: number
  /** Time until the Search API finds a change, in milliseconds, fixed or per change. (Default: 0) */
  searchLagMs?: number | SearchLag
  /** Enforced limit of Admin API calls an hour. (Default: 500 are reported, none are refused) */
  adminCallsPerHour?: number
  /** Adds routes under `/_standin`, for other stand-ins. */
  controls?: FastifyPluginAsync
  /** A pino logger. (Default: none) */
  logger?: { info: (fields: object, message: string) => void }
}

export interface CloudinaryStandIn {
  /** `http://HOST:PORT`, without a final slash. */
  url: string
  /** Returns the `CLOUDINARY_URL` of a cloud. (Default key: the listener's) */
  cloudinaryUrl(cloudName?: string, key?: ApiKey): string
  cloud(cloudName?: string): Cloud
  /** Moves the trigger of `notificationUrl`, or deletes it. */
  setNotificationUrl(url: string | undefined): void
  assets: {
    find(publicId: string, kind?: Kind & { cloud?: string }): Asset | undefined
    all(cloudName?: string): Asset[]
  }
  /** The API calls so far, oldest first. */
  calls: readonly Call[]
  /** The delivery attempts so far, oldest first. */
  deliveries: readonly Delivery[]
  faults: Faults
  /** Notifications to give up without an attempt. */
  drops: Drops
  /** Resolves with the first completed call, past or future, that matches. */
  called(matches: (call: Call) => boolean): Promise<Call>
  /** Resolves with the first completed attempt, past or future, that matches. */
  attempted(matches: (delivery: Delivery) => boolean): Promise<Delivery>
  /** Resolves with the first attempt, past or future, that was answered 200 and matches. */
  delivered(matches?: (delivery: Delivery) => boolean): Promise<Delivery>
  /** Resolves when no delivery is in flight and no retry is pending. */
  idle(): Promise<void>
  /** Signs and delivers any body. Resolves with the last attempt; undefined without a target. */
  notify(body: string | Uint8Array | object, cloudName?: string): Promise<Delivery | undefined>
  /** Edits assets as a person in the Console. */
  ui(cloudName?: string): AssetEditor
  /** Edits assets with an API key, without a call. (Default: a colleague's key) */
  as(apiKey?: string, cloudName?: string): AssetEditor
  /** Sets which eager transformations fail, and why. */
  failEager(failure: EagerRules['failure']): void
  stop(): Promise<void>
}

const BODY_LIMIT_BYTES = 100 * 1024 * 1024
const MINUTE_MS = 60_000

/** Starts a server that behaves like Cloudinary to its SDK and to a notification listener. */
export async function startCloudinary(options: CloudinaryOptions): Promise<CloudinaryStandIn> {
  const { clock = Date.now, signatureAlgorithm: algorithm = 'sha1', maxRecords = 100_000 } = options
  const { searchLagMs, adminCallsPerHour } = options
  const searchLag = typeof searchLagMs === 'number' ? () => searchLagMs : searchLagMs
  const clouds = new Map(
    options.environments.map((environment) => [environment.cloudName, new Cloud(environment, searchLag)])
  )
  const calls = new Recorder<Call>(maxRecords)
  const faults = new Faults()
  const drops = new Drops()
  const eager: EagerRules = {
    failure: () => undefined,
    videoSyncLimitBytes: options.videoSyncLimitBytes ?? 40_000_000
  }
  const { retryDelaysMs = [3 * MINUTE_MS, 6 * MINUTE_MS, 9 * MINUTE_MS], retryScale = 1 } = options
  const notifier = new Notifier({
    algorithm,
    retryDelaysMs: retryDelaysMs.map((delay) => delay * retryScale),
    timeoutMs: options.deliveryTimeoutMs ?? 20_000,
    concurrency: options.deliveryConcurrency ?? 256,
    resign: options.resign ?? false,
    clock,
    maxRecords,
    isDropped: (notification) => drops.take(notification),
    onAttempt: ({ body, headers, ...attempt }) => options.logger?.info(attempt, 'notification attempted')
  })
  const tools = { clock, notifier, eager, usesOldFormat: options.oldNotifications ?? false }
  const defaults = new DefaultTriggers([...clouds.values()], clock)
  defaults.pointTo(options.notificationUrl)

  const app = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    // a hanging call or an open connection must not block `stop`
    forceCloseConnections: true,
    // a public ID has up to 255 characters, each percent-encoded as up to nine
    routerOptions: { maxParamLength: 4096 },
    rewriteUrl: ({ url = '/' }) => decodeWholePath(url)
  })
  app.setNotFoundHandler(async (request, reply) => {
    reply.code(404)
    return new ApiError(404, `No route ${request.method} ${request.url}`).toJSON()
  })
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      done(null, { ...parseQuery(String(body), '&', '=', { maxKeys: 0 }) })
    }
  )
  // a bulk call has up to 1,000 public IDs, one part each
  await app.register(multipart, {
    attachFieldsToBody: true,
    limits: { parts: 10_000, fieldSize: BODY_LIMIT_BYTES }
  })
  const shared = { clouds, tools, algorithm, faults, calls }
  await app.register(
    async (api) => {
      intercept(api, shared)
      await api.register(uploadApi, { tools, algorithm })
      await api.register(adminApi, { tools, adminCallsPerHour })
    },
    { prefix: '/v1_1/:cloud' }
  )
  await app.register(notificationsApi, { prefix: '/v2/notifications/:cloud', ...shared })
  await app.register(controlApi, { prefix: '/_standin', ...shared, drops, defaults })
  await app.register(cdnRoutes, { clouds })
  if (options.controls) await app.register(options.controls, { prefix: '/_standin' })
  const url = await app.listen({ port: options.port ?? 0, host: options.host ?? '127.0.0.1' })
  for (const cloud of clouds.values()) cloud.deliveryOrigin = url

  const cloud = (name?: string) => cloudNamed(clouds, name)

  return {
    url,
    cloudinaryUrl: (cloudName, key) => cloud(cloudName).cloudinaryUrl(url, key),
    cloud,
    setNotificationUrl: (target) => defaults.pointTo(target),
    assets: {
      find: (publicId, { cloud: name, ...kind } = {}) => cloud(name).assets.find(publicId, kind),
      all: (cloudName) => cloud(cloudName).assets.all()
    },
    calls: calls.items,
    deliveries: notifier.deliveries.items,
    faults,
    drops,
    called: (matches) => calls.when((call) => isOver(call) && matches(call)),
    attempted: (matches) => notifier.deliveries.when((one) => one.outcome !== 'under_way' && matches(one)),
    delivered: (matches = () => true) =>
      notifier.deliveries.when((one) => one.outcome === 'delivered' && matches(one)),
    idle: () => notifier.idle(),
    notify(body, cloudName) {
      const isBytes = typeof body === 'string' || body instanceof Uint8Array
      return notifier.send(cloud(cloudName), isBytes ? body : JSON.stringify(body))
    },
    ui: (cloudName) => new AssetEditor(cloud(cloudName), { source: 'ui', id: 'editor@example.com' }, tools),
    as(apiKey, cloudName) {
      const edited = cloud(cloudName)
      return new AssetEditor(edited, { source: 'api', id: apiKey ?? edited.foreign[0].apiKey }, tools)
    },
    failEager(failure) {
      eager.failure = failure
    },
    async stop() {
      faults.stop()
      await notifier.stop()
      await app.close()
    }
  }
}

/**
 * Decodes the slashes of a path that the Node SDK encodes as one segment (`/v1_1/CLOUD/resources%2Fsearch`),
 * as Cloudinary does.
 */
function decodeWholePath(url: string): string {
  const [, prefix, segment, query] = /^(\/v1_1\/[^/?]+\/)([^/?]+)(\?.*)?$/.exec(url) ?? []
  return segment?.includes('%2F') ? `${prefix}${segment.replaceAll('%2F', '/')}${query ?? ''}` : url
}
