import { RetryLaterError } from '../../errors.ts'
import { callHttp, type HttpCall } from '../http/http-call.ts'
import { secretsIn } from '../http/http-secrets.ts'
import type { ChatItem } from './chat-message.ts'
import { slackMessage } from './slack-message.ts'
import { teamsMessage } from './teams-message.ts'

export type ChatService = 'slack' | 'teams'

export const SERVICE_NAMES: Readonly<Record<ChatService, string>> = { slack: 'Slack', teams: 'Teams' }

export interface PosterOptions {
  service: ChatService
  /** Secret. */
  url: URL
  /** Name of the variable with the URL. */
  variable: string
  timeoutSeconds: number
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Posts one message with these items. @throws {ListenerError} CHAT_UNAVAILABLE, CHAT_REJECTED */
export type Post = (items: readonly ChatItem[], signal: AbortSignal) => Promise<void>

type Send = (items: readonly ChatItem[], call: Omit<HttpCall, 'body' | 'headers'>) => Promise<unknown>

/**
 * Returns a function that posts to the webhook. After a response with `Retry-After` it makes no calls until
 * then. Errors contain no part of the URL.
 */
export async function createPoster(options: PosterOptions): Promise<Post> {
  const { service, url, variable, timeoutSeconds, clock } = options
  const send = service === 'slack' ? await slackSender() : sendToTeams
  const target = SERVICE_NAMES[service]
  let limit: RetryLaterError | undefined
  return async (items, signal) => {
    if (limit && limit.until.getTime() > clock()) throw limit
    try {
      await send(items, {
        code: 'CHAT',
        target,
        remedyFor: (status) => remedyFor(status, variable),
        url,
        timeoutSeconds,
        // a message of the network names the host
        secrets: secretsIn(url, {}, [url.href, url.host, url.hostname]),
        signal,
        clock
      })
    } catch (error) {
      if (error instanceof RetryLaterError) limit = error
      throw error
    }
  }
}

/**
 * Sends with the official client. Its errors lack the headers of a response, such as `Retry-After`, so the
 * shared call does the request, and its errors are rethrown.
 */
async function slackSender(): Promise<Send> {
  const { IncomingWebhook } = await import('@slack/webhook')
  return async (items, call) => {
    const webhook = new IncomingWebhook(call.url.href, {
      async fetch(_url, init) {
        const { headers, body } = init as { headers: Record<string, string>; body: string }
        const { status, text } = await callHttp({ ...call, headers, body })
        return new Response(text, { status })
      }
    })
    await webhook.send(slackMessage(items)).catch((error: { original: unknown }) => {
      throw error.original
    })
  }
}

const sendToTeams: Send = (items, call) =>
  callHttp({
    ...call,
    headers: { 'content-type': 'application/json', 'user-agent': 'cloudinary-listener' },
    body: JSON.stringify(teamsMessage(items))
  })

/**
 * Slack answers 403 or 404 for a webhook that was removed, 410 for an archived channel.
 * Source: https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks
 */
function remedyFor(status: number, variable: string): string | undefined {
  if ([401, 403, 404].includes(status)) return `check that ${variable} is the URL of an existing webhook`
  if (status === 410) return `the channel is archived or the webhook is gone: set another ${variable}`
  return undefined
}
