import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import {
  type CloudinaryOptions,
  type CloudinaryStandIn,
  startCloudinary
} from '../../../dev/cloudinary/server.ts'

// The SDK settles on http or https when it is first loaded, by this variable's upload_prefix.
process.env.CLOUDINARY_URL = 'cloudinary://unused:unused@unused?upload_prefix=http://127.0.0.1:9'

/** The real SDK, unchanged. What it calls is decided call by call: pass `own` or `colleague`. */
export const { v2: sdk } = await import('cloudinary')

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

/** Starts a stand-in with one cloud, `demo`, that the test's end stops. */
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

/** A listener: a bare HTTP server that the test's end closes. Gives its URL. */
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

/** What the SDK rejects with, which the Admin API wraps in `error` and the Upload API does not. */
export async function refusal(call: Promise<unknown>): Promise<{ message: string; http_code?: number }> {
  try {
    await call
  } catch (error) {
    const { error: inner } = error as { error?: { message: string } }
    return inner ?? (error as { message: string })
  }
  throw new Error('the call was not refused')
}

/** The notification of a type, as it was delivered. */
export async function notification(
  standIn: CloudinaryStandIn,
  type: string
): Promise<Record<string, unknown>> {
  return JSON.parse((await standIn.delivered((delivery) => delivery.notificationType === type)).body)
}
