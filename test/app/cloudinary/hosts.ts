import { Agent, type ClientRequest } from 'node:http'
import type { Test } from 'tap'
import type { CloudinaryClient } from '../../../app/cloudinary/client.ts'
import { acknowledge, fetchMessages } from '../../../app/cloudinary/poll-channel.ts'
import { downloadPart, uploadRawFile } from '../../../app/cloudinary/raw-files.ts'
import { searchPage } from '../../../app/cloudinary/search.ts'
import { listTriggers } from '../../../app/cloudinary/triggers.ts'

const BAG = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }
const NOTE = { publicId: 'note.txt', deliveryType: 'upload' }

/** One call of each kind that the listener makes, by name. Some depend on earlier ones. */
export const KINDS: Record<string, (client: CloudinaryClient) => Promise<unknown>> = {
  upload: (client) => uploadRawFile(client, NOTE, content()),
  download: (client) => downloadPart(client, NOTE, { offset: 0, bytes: 100 }),
  tags: (client) => client.addTag(BAG, 'seen'),
  explicit: (client) => client.currentState(BAG),
  search: (client) => searchPage(client, { expression: 'tags=seen', sortBy: ['public_id', 'asc'] }),
  admin: (client) => client.call('ping', (sdk, options) => sdk.api.ping(options)),
  rest: (client) => listTriggers(client),
  poll: (client) =>
    fetchMessages(client, { channel: 'c', maxMessages: 1, waitSeconds: 0, visibilitySeconds: 1 }),
  acknowledge: (client) => acknowledge(client, ['handle'])
}

async function* content() {
  yield 'some text'
}

/** A blocked request to another machine. */
export interface Refused {
  host: string
  /** Whether it uses TLS. */
  secure: boolean
}

type Request = ClientRequest & { onSocket: (socket: null, error: Error) => void }

/** Blocks and lists requests to other machines. */
export function refuseOutside(t: Test): Refused[] {
  const refused: Refused[] = []
  const { addRequest } = Agent.prototype as unknown as { addRequest: (...given: unknown[]) => void }
  t.intercept(Agent.prototype, 'addRequest' as never, {
    value(this: Agent & { protocol: string }, request: Request, ...rest: unknown[]) {
      if (request.host === '127.0.0.1') return void addRequest.call(this, request, ...rest)
      refused.push({ host: request.host, secure: this.protocol === 'https:' })
      // like an agent that cannot connect
      request.onSocket(null, new Error('refused'))
    }
  })
  const { fetch } = globalThis
  t.intercept(globalThis, 'fetch', {
    value: async (url: URL | string, init: RequestInit) => {
      const { hostname: host, protocol } = new URL(url)
      if (host === '127.0.0.1') return fetch(url, init)
      refused.push({ host, secure: protocol === 'https:' })
      throw new Error('refused')
    }
  })
  return refused
}
