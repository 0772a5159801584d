import { z } from 'zod'
import { type AssetEvent, EVENT_TYPES } from '../../ingest/event.ts'
import type { Finding, OwnVariable, Processor } from '../../processor.ts'
import { Batcher } from '../../queue/batcher.ts'
import { ASSET_CHANGES } from '../asset-changes.ts'
import { checkReachable } from '../http/check-reachable.ts'
import { checkOptions } from '../processor-options.ts'
import { sendTogether, within } from '../send-together.ts'
import { type Cdn, CloudFront } from './cloud-front.ts'
import {
  changeFor,
  defaultTags,
  type ListOf,
  merged,
  type PublishChange,
  referenceOf
} from './publish-change.ts'
import { callHook, HOOK } from './publish-hook.ts'

/** Maximum number of events in a call. */
const MAX_EVENTS = 100

const PUBLISH_SECRET: OwnVariable = {
  name: 'PUBLISH_SECRET',
  schema: z.string().regex(/^[\u0021-\u007e]{8,}$/),
  allowed: 'the secret of the hook: at least 8 ASCII characters without spaces',
  secret: true,
  example: 'local-publish-secret'
}

const isFunction = (value: unknown) => typeof value === 'function'

const list = z.custom<ListOf>(isFunction, 'must be a function that returns a list')

const CDN_ERROR = 'must be { distributionId } of CloudFront, or { invalidate }'

const cloudFront = z.strictObject({ distributionId: z.string().regex(/^[A-Z0-9]{6,20}$/, CDN_ERROR) })

const ownCdn = z.custom<Cdn>((value) => isFunction((value as Cdn | null)?.invalidate))

const Options = z
  .strictObject({
    name: z.string().default('publish'),
    on: z
      .array(z.enum([...EVENT_TYPES, '*']))
      .min(1)
      .default([...ASSET_CHANGES, 'delete', 'delete_by_token']),
    when: z.custom<(event: AssetEvent) => boolean>(isFunction).optional(),
    /** Revalidation hook of a front end. */
    hook: HOOK.optional(),
    /** A CloudFront distribution, or any other CDN. */
    cdn: z.union([cloudFront, ownCdn], { error: CDN_ERROR }).optional(),
    /** Paths that show the asset. (Default: everything for the CDN, none for the hook) */
    paths: list.optional(),
    /** Cache tags for the hook. (Default: `cloudinary` and `cloudinary:PUBLIC_ID`) */
    tags: list.default(() => defaultTags),
    /** How long events are collected for one call. */
    windowSeconds: z.number().min(0).max(60).default(1),
    /** Maximum time for a response of the hook. */
    timeoutSeconds: z.number().positive().max(120).default(30)
  })
  .refine(({ hook, cdn }) => hook || cdn, { error: 'set `hook`, `cdn` or both' })

/** @see publish */
export type PublishOptions = z.input<typeof Options>

/**
 * Refreshes a site after a change: calls its revalidation hook, then invalidates paths of a CDN. Events of a
 * short time share a call. Costs no Cloudinary calls.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function publish(options: PublishOptions, clock: () => number = Date.now): Processor {
  const checked = checkOptions('publish', Options, options)
  const { name, on, when, hook, cdn, tags, windowSeconds, timeoutSeconds } = checked
  const paths: ListOf = checked.paths ?? (() => [])
  const everything = cdn && !checked.paths ? ['/*'] : undefined
  const distributionId = cdn && 'distributionId' in cdn ? cdn.distributionId : undefined
  const stopping = new AbortController()
  let batcher: Batcher<PublishChange, string>
  let distribution: CloudFront | undefined

  /** Calls the hook before the CDN: a CDN that is invalidated first would fetch the old page again. */
  async function refresh(change: PublishChange, secret: string): Promise<string> {
    const { signal } = stopping
    const done: string[] = []
    if (hook && change.tags.length + change.paths.length > 0) {
      await callHook(hook, secret, change, { timeoutSeconds, signal, clock })
      done.push(`revalidated ${change.tags.length} tags and ${change.paths.length} paths`)
    }
    const emptied = everything ?? change.paths
    const target = distribution ?? (cdn as Cdn | undefined)
    if (target && emptied.length > 0) {
      await target.invalidate(emptied, { signal, reference: referenceOf({ ...change, paths: emptied }) })
      done.push(`invalidated ${emptied.length} paths`)
    }
    const others = change.ids.length - 1
    return [
      done.join(', ') || 'skipped: nothing to refresh',
      ...(others ? [`with ${others} more`] : [])
    ].join(' ')
  }

  return {
    name,
    on,
    ...(when && { when }),
    // writes nothing to Cloudinary, so it causes no loop
    ownChanges: true,
    ...(hook && { requires: [PUBLISH_SECRET] }),
    ...(distributionId && { packages: ['@aws-sdk/client-cloudfront'] }),
    async start({ config }) {
      const secret = secretIn(config)
      if (distributionId) distribution = await CloudFront.create(distributionId, clock)
      batcher = new Batcher({
        maximumCalls: 1,
        maximumItems: MAX_EVENTS,
        schedule: within(windowSeconds * 1000),
        send: (changes) => sendTogether(changes, (together) => refresh(merged(together), secret))
      })
    },
    async check({ signal }) {
      const findings: Finding[] = []
      if (hook) {
        const url = new URL(hook.url)
        await checkReachable(url, signal, { code: 'PUBLISH', setting: '`hook`' })
        findings.push({ level: 'ok', message: `${url.origin} is reachable` })
      }
      if (distributionId) {
        const checking = await CloudFront.create(distributionId, clock)
        findings.push(await checking.check(signal).finally(() => checking.close()))
      }
      return findings
    },
    async handle(event, { signal }) {
      return batcher.add(changeFor(event, { name, paths, tags }), signal)
    },
    stop() {
      stopping.abort()
      distribution?.close()
    }
  }
}

const secretIn = (config: object): string => (config as { PUBLISH_SECRET?: string }).PUBLISH_SECRET ?? ''
