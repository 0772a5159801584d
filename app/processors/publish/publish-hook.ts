import { z } from 'zod'
import { callHttp } from '../http/http-call.ts'
import { HTTP_URL, httpHeaders, isEncryptedOrLocal } from '../http/http-options.ts'
import { secretsIn } from '../http/http-secrets.ts'
import type { PublishChange } from './publish-change.ts'

/** Maximum length of the URL of a GET request, in characters. */
const MAX_URL = 2000

const HookOptions = z
  .strictObject({
    url: HTTP_URL,
    method: z.enum(['POST', 'GET']).default('POST'),
    /** Where the secret is: `Authorization: Bearer …`, or the parameter `secret`. */
    secretIn: z.enum(['header', 'query']).default('header'),
    headers: httpHeaders(/^authorization$/),
    /** Allow `http:` to other hosts than this machine. */
    allowHttp: z.boolean().default(false)
  })
  .refine(({ url, allowHttp }) => allowHttp || isEncryptedOrLocal(url), {
    path: ['url'],
    error: 'must begin with https://, unless it is on this machine or `allowHttp` is true'
  })

export type HookInput = string | z.input<typeof HookOptions>

/** A URL, or a URL with options. */
export const HOOK = z
  .custom<HookInput>()
  .transform((given) => (typeof given === 'string' ? { url: given } : given))
  .pipe(HookOptions)

export type Hook = z.output<typeof HookOptions>

interface HookRequest {
  url: URL
  method: string
  headers: Record<string, string>
  body?: string
}

/**
 * Returns the requests that tell a front end what changed: one POST, or as many GET as its URLs need.
 */
export function requestsFor(
  { url, method, secretIn, headers }: Hook,
  secret: string,
  { paths, tags }: Pick<PublishChange, 'paths' | 'tags'>
): HookRequest[] {
  const base = new URL(url)
  if (secretIn === 'query') base.searchParams.set('secret', secret)
  const common = {
    'user-agent': 'cloudinary-listener',
    ...Object.fromEntries(new Headers(headers)),
    ...(secretIn === 'header' && { authorization: `Bearer ${secret}` })
  }
  if (method === 'POST') {
    const withType = { ...common, 'content-type': 'application/json' }
    return [{ url: base, method, headers: withType, body: JSON.stringify({ tags, paths }) }]
  }
  const urls = [new URL(base)]
  const parameters = [...tags.map((tag) => ['tag', tag]), ...paths.map((path) => ['path', path])]
  for (const [name, value] of parameters as [string, string][]) {
    const last = urls.at(-1)!
    const extended = new URL(last)
    extended.searchParams.append(name, value)
    if (extended.href.length <= MAX_URL || last.href === base.href) {
      urls[urls.length - 1] = extended
      continue
    }
    const next = new URL(base)
    next.searchParams.append(name, value)
    urls.push(next)
  }
  return urls.map((each) => ({ url: each, method, headers: common }))
}

/**
 * Calls the hook.
 *
 * @throws {ListenerError} PUBLISH_UNAVAILABLE
 * @throws {PermanentError} PUBLISH_REJECTED
 */
export async function callHook(
  hook: Hook,
  secret: string,
  change: PublishChange,
  options: { timeoutSeconds: number; signal: AbortSignal; clock: () => number }
): Promise<void> {
  const secrets = secretsIn(new URL(hook.url), hook.headers, [secret, encodeURIComponent(secret)])
  for (const request of requestsFor(hook, secret, change)) {
    await callHttp({ ...options, ...request, code: 'PUBLISH', setting: '`hook`', remedyFor, secrets })
  }
}

const remedyFor = (status: number): string | undefined =>
  status === 401 || status === 403 ? 'check that it compares with the same PUBLISH_SECRET' : undefined
