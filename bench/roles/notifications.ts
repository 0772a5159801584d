import { createHmac } from 'node:crypto'
import type { EventType } from '../../app/ingest/event.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { MAX_ASSETS, sampleNotification } from '../../app/testing/samples.ts'
import { signatureHeaders } from '../../app/testing/sign.ts'

export interface SignedNotification {
  body: Buffer
  headers: Record<string, string>
}

/** So deep that a notification has 1.3 KB. */
const FOLDER = 'catalogue/2026/autumn/women/bags/leather/brown'

/** Returns signed notifications of uploads, each of another asset. */
export function uploads(count: number, run: string): SignedNotification[] {
  const now = new Date()
  return Array.from({ length: count }, (_, index) =>
    signed('upload', { variant: 'metadata', publicId: `bench/${run}/${FOLDER}/asset-${index}`, now })
  )
}

/** Returns one signed notification of a change of the tags of 1,000 assets. */
export const bulk = (run: string): SignedNotification =>
  signed('resource_tags_changed', { publicId: `bench/${run}/bulk`, count: MAX_ASSETS })

/** Returns the same bodies as {@link uploads}, signed as GitHub signs. */
export const pushes = (count: number): SignedNotification[] =>
  uploads(count, 'push').map(({ body }, index) => ({
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': `delivery-${index}`,
      'x-hub-signature-256': `sha256=${hmac(body)}`
    }
  }))

const hmac = (body: Buffer) => createHmac('sha256', LOCAL_CLOUDINARY.apiSecret).update(body).digest('hex')

/** Returns the bytes of an HTTP request that posts a notification. */
export function postRequest(url: string, { body, headers }: SignedNotification): Buffer {
  const { pathname, host } = new URL(url)
  const lines = Object.entries({ host, ...headers, 'content-length': body.length })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head}\r\n`), body])
}

function signed(type: EventType, options: Parameters<typeof sampleNotification>[1]): SignedNotification {
  const body = Buffer.from(JSON.stringify(sampleNotification(type, options)))
  const seconds = Math.floor(Date.now() / 1000)
  return {
    body,
    headers: { 'content-type': 'application/json', ...signatureHeaders(body, LOCAL_CLOUDINARY, seconds) }
  }
}
