import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import {
  type CloudinaryOptions,
  type CloudinaryStandIn,
  startCloudinary
} from '../../../dev/cloudinary/cloudinary-server.ts'

// the SDK chooses http or https when it is first loaded, by the upload_prefix of this variable
process.env.CLOUDINARY_URL = 'cloudinary://unused:unused@unused?upload_prefix=http://127.0.0.1:9'

const { v2 } = await import('cloudinary')

/** The SDK's types lack credentials per call, and some of its functions. */
type Loose<T> = {
  [K in keyof T]: T[K] extends (...args: never[]) => infer Result ? (...args: unknown[]) => Result : T[K]
}

/** The real SDK, unchanged. Each call takes its credentials: pass `own` or `colleague`. */
export const sdk = v2 as unknown as {
  uploader: Loose<typeof v2.uploader>
  api: Loose<typeof v2.api> & { resource_by_asset_id: (...args: unknown[]) => Promise<unknown> }
  utils: Loose<typeof v2.utils> & { verify_api_response_signature: (...args: unknown[]) => boolean }
  config: typeof v2.config
}

interface Query {
  sort_by: (field: string, direction: 'asc' | 'desc') => Query
  with_field: (field: string) => Query
  max_results: (count: number) => Query
  next_cursor: (cursor: string) => Query
  execute: (options: object) => Promise<{ resources: { public_id: string }[]; next_cursor?: string }>
}

/** Builds a search. Its `execute` takes options, which its type lacks. */
export function searchFor(expression: string): Query {
  return v2.search.expression(expression) as unknown as Query
}

/** Calls the Upload API without the SDK's functions, but with its signature. */
export async function signedPost(
  { upload_prefix, cloud_name, api_key, api_secret }: Credentials,
  path: string,
  params: Record<string, string>
): Promise<unknown> {
  const signed = { ...params, timestamp: String(Math.floor(Date.now() / 1000)) }
  const signature = v2.utils.api_sign_request(signed, api_secret)
  const body = new URLSearchParams({ ...signed, api_key, signature })
  return (await fetch(`${upload_prefix}/v1_1/${cloud_name}/${path}`, { method: 'POST', body })).json()
}

export const environment = { cloudName: 'demo', apiKey: '111111111111111', apiSecret: 'own-secret' }
export const foreignKey = { apiKey: '999999999999999', apiSecret: 'colleague-secret' }

export interface Credentials {
  cloud_name: string
  api_key: string
  api_secret: string
  upload_prefix: string
}

export interface Connected {
  standIn: CloudinaryStandIn
  /** Options for a call with the listener's own key. */
  own: Credentials
  /** Options for a call with another key. */
  colleague: Credentials
}

/** Starts a stand-in with one cloud, `demo`, and stops it after the test. */
export async function connect(t: Test, options: Partial<CloudinaryOptions> = {}): Promise<Connected> {
  const environments: CloudinaryOptions['environments'] = [{ ...environment, foreignKeys: [foreignKey] }]
  const standIn = await startCloudinary({ environments, retryDelaysMs: [], ...options })
  t.teardown(() => standIn.stop())
  const credentials = (key: { apiKey: string; apiSecret: string }): Credentials => ({
    cloud_name: environment.cloudName,
    api_key: key.apiKey,
    api_secret: key.apiSecret,
    upload_prefix: standIn.url
  })
  return { standIn, own: credentials(environment), colleague: credentials(foreignKey) }
}

/** Starts an HTTP server as the listener, and closes it after the test. Returns its URL. */
export async function listen(
  t: Test,
  handle: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
    response.end()
): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/cloudinary`
}

/** Returns the error of an SDK call; the Admin API wraps it in `error`, the Upload API does not. */
export async function refusal(call: Promise<unknown>): Promise<{ message: string; http_code?: number }> {
  try {
    await call
  } catch (error) {
    const { error: inner } = error as { error?: { message: string } }
    return inner ?? (error as { message: string })
  }
  throw new Error('the call was not refused')
}

/** Waits for the delivery of a notification of a type, and returns it. */
export async function notification(
  standIn: CloudinaryStandIn,
  type: string
): Promise<Record<string, unknown>> {
  return JSON.parse((await standIn.delivered((delivery) => delivery.notificationType === type)).body)
}

/** Calls an API without an SDK function. `path` follows the host, and `:cloud` in it is replaced. */
export async function rest(
  { upload_prefix, cloud_name, api_key, api_secret }: Credentials,
  method: string,
  path: string,
  body?: object
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${upload_prefix}${path.replace(':cloud', cloud_name)}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${api_key}:${api_secret}`).toString('base64')}`,
      ...(body && { 'content-type': 'application/json' })
    },
    ...(body && { body: JSON.stringify(body) })
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
