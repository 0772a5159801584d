import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { type CanaryOptions, sendCanary } from '../../../../app/commands/canary/canary-journey.ts'
import { ListenerError } from '../../../../app/errors.ts'
import { verifySignature } from '../../../../app/ingest/signature.ts'
import type { JournaledEvent, Status } from '../../../../app/journal/journal-entry.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'
import { freePort } from '../../../support/system.ts'

interface Received {
  body: Buffer
  headers: Record<string, string | string[] | undefined>
}

/** A webhook that answers each request with a status. */
async function serve(t: Test, status: number) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    received.push({ body: Buffer.concat(await request.toArray()), headers: request.headers })
    response.writeHead(status, { location: '/elsewhere' }).end('{}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return { received, webhookUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

/** Options with a clock that only `pause` advances, by a second. */
function optionsWith(webhookUrl: string, statuses: (Status | ListenerError | undefined)[]) {
  let now = 1_780_315_200_000
  const asked: string[] = []
  const options: CanaryOptions = {
    webhookUrl,
    journal: {
      find: async (id) => {
        asked.push(id)
        const status = statuses.length > 1 ? statuses.shift() : statuses[0]
        if (status instanceof Error) throw status
        return status && ({ status } as JournaledEvent)
      }
    },
    withinMs: 5000,
    clock: () => now,
    pause: async () => {
      now += 1000
    },
    signal: new AbortController().signal
  }
  return { options, asked }
}

const DOWN = new ListenerError('JOURNAL_UNAVAILABLE', 'the journal does not answer')

t.test('sends a notification that its secret verifies, and follows it to the journal', async (t) => {
  for (const signatureAlgorithm of [undefined, 'sha256'] as const) {
    const { received, webhookUrl } = await serve(t, 200)
    const { options, asked } = optionsWith(webhookUrl, [undefined, DOWN, 'processing', 'ignored'])
    const key = { ...LOCAL_CLOUDINARY, ...(signatureAlgorithm && { signatureAlgorithm }) }
    const outcome = await sendCanary(key, options)
    t.match(outcome, { outcome: 'ended', acknowledgedMs: 0, endedMs: 3000 })
    t.strictSame(new Set(asked), new Set([outcome.eventId]))
    const [{ body, headers } = {} as Received] = received
    t.match(JSON.parse(String(body)), {
      notification_type: 'listener_canary',
      notification_context: { triggered_by: { source: 'api', id: key.apiKey } }
    })
    const digest = Buffer.from(String(headers['x-cld-signature']), 'hex')
    const timestamp = String(headers['x-cld-timestamp'])
    const algorithm = signatureAlgorithm ?? 'sha1'
    t.match(verifySignature(body, { outcome: 'well-formed', algorithm, digest, timestamp }, [key]), {
      outcome: 'verified'
    })
  }
})

t.test('each canary is another event', async (t) => {
  const { webhookUrl } = await serve(t, 200)
  const { options } = optionsWith(webhookUrl, ['ignored'])
  const ids = [await sendCanary(LOCAL_CLOUDINARY, options), await sendCanary(LOCAL_CLOUDINARY, options)]
  t.equal(new Set(ids.map(({ eventId }) => eventId)).size, 2)
})

t.test('fails if the webhook does not answer 200, and then does not ask the journal', async (t) => {
  for (const status of [204, 302, 401, 503]) {
    const { received, webhookUrl } = await serve(t, status)
    const { options, asked } = optionsWith(webhookUrl, ['ignored'])
    t.match(await sendCanary(LOCAL_CLOUDINARY, options), { outcome: 'failed', code: 'CANARY_REFUSED' })
    t.equal(received.length, 1, 'follows no redirect')
    t.strictSame(asked, [])
  }
  const { options } = optionsWith(`http://127.0.0.1:${await freePort()}/`, ['ignored'])
  t.match(await sendCanary(LOCAL_CLOUDINARY, options), {
    code: 'CANARY_REFUSED',
    reason: /ECONNREFUSED/
  })
})

t.test('fails if the journal does not show the outcome in time', async (t) => {
  const { webhookUrl } = await serve(t, 200)
  for (const [status, reason] of [
    [undefined, /5 s.*none/],
    ['retrying', /5 s.*retrying/],
    [DOWN, /5 s.*the journal does not answer/]
  ] as const) {
    const { options, asked } = optionsWith(webhookUrl, [status])
    t.match(await sendCanary(LOCAL_CLOUDINARY, options), {
      outcome: 'failed',
      code: 'CANARY_NOT_PROCESSED',
      reason
    })
    t.equal(asked.length, 5)
  }
})

t.test('fails if a processor ran for it', async (t) => {
  const { webhookUrl } = await serve(t, 200)
  for (const status of ['done', 'dead', 'discarded'] as const) {
    const { options } = optionsWith(webhookUrl, [status])
    t.match(await sendCanary(LOCAL_CLOUDINARY, options), { outcome: 'failed', code: 'CANARY_LOST' })
  }
})

t.test('an interrupted canary neither ended nor failed', async (t) => {
  const { webhookUrl } = await serve(t, 200)
  const { options } = optionsWith(webhookUrl, ['ignored'])
  const atOnce = { ...options, signal: AbortSignal.abort() }
  t.match(await sendCanary(LOCAL_CLOUDINARY, atOnce), { outcome: 'interrupted', eventId: /^[0-9a-f]{32}$/ })

  const { options: waiting, asked } = optionsWith(webhookUrl, ['processing'])
  const interrupted = new AbortController()
  const pause = async () => interrupted.abort()
  const outcome = await sendCanary(LOCAL_CLOUDINARY, { ...waiting, pause, signal: interrupted.signal })
  t.match(outcome, { outcome: 'interrupted' })
  t.equal(asked.length, 1)
})
