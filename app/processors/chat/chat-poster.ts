import { RetryLaterError } from '../../errors.ts'
import { callHttp, type HttpCall } from '../http/http-call.ts'
import { isLocal } from '../http/http-options.ts'
import { secretsIn } from '../http/http-secrets.ts'
import type { ChatItem } from './chat-message.ts'
import { slackMessage } from './slack-message.ts'
import { teamsMessage } from './teams-message.ts'

export type ChatService = 'slack' | 'teams'

export const SERVICE_NAMES: Readonly<Record<ChatService, string>> = { slack: 'Slack', teams: 'Teams' }

export interface PosterOptions {
  service: ChatService
  /** URL of the webhook, a secret. */
  url: URL
  /** Name of the variable with the URL. */
  variable: string
  timeoutSeconds: number
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** The outcome of a post: `without pictures` if the service cannot load one of them. */
export type Posted = 'complete' | 'without pictures'

/** Posts one message with these items. @throws {ListenerError} CHAT_UNAVAILABLE, CHAT_REJECTED */
export type Post = (items: readonly ChatItem[], signal: AbortSignal) => Promise<Posted>

type Send = (items: readonly ChatItem[], call: Omit<HttpCall, 'body' | 'headers'>) => Promise<Posted>

/**
 * Returns a function that posts to the webhook. Pictures that only this machine can load are left out, unless
 * the receiver is on it too. After a response with `Retry-After` it makes no calls until then. Errors contain
 * no part of the URL.
 */
export async function createPoster(options: PosterOptions): Promise<Post> {
  const { service, url, variable, timeoutSeconds, clock } = options
  const send = service === 'slack' ? await slackSender() : sendToTeams
  const target = SERVICE_NAMES[service]
  let limit: RetryLaterError | undefined
  return async (given, signal) => {
    if (limit && limit.until.getTime() > clock()) throw limit
    const items = isLocal(url) ? given : given.map(withoutLocalPicture)
    try {
      const posted = await send(items, {
        code: 'CHAT',
        target,
        setting: variable,
        remedyFor: (status) => remedyFor(status, variable),
        url,
        timeoutSeconds,
        // a message of the network names the host
        secrets: secretsIn(url, {}, [url.href, url.host, url.hostname]),
        signal,
        clock
      })
      return pictures(items) < pictures(given) ? 'without pictures' : posted
    } catch (error) {
      if (error instanceof RetryLaterError) limit = error
      throw error
    }
  }
}

const withoutPicture = ({ thumbnail, ...item }: ChatItem): ChatItem => item

const withoutLocalPicture = (item: ChatItem): ChatItem =>
  item.thumbnail && isLocal(new URL(item.thumbnail)) ? withoutPicture(item) : item

const pictures = (items: readonly ChatItem[]): number => items.filter(({ thumbnail }) => thumbnail).length

/**
 * Sends with the official client. Its errors lack the headers of a response, such as `Retry-After`, so the
 * shared call does the request, and its errors are rethrown.
 *
 * Slack rejects the whole message if it cannot load one of its pictures; it is then sent once more without.
 */
async function slackSender(): Promise<Send> {
  const { IncomingWebhook } = await import('@slack/webhook')
  const send = async (items: readonly ChatItem[], call: Parameters<Send>[1]) => {
    const webhook = new IncomingWebhook(call.url.href, {
      async fetch(_url, init) {
        const { headers, body } = init as { headers: Record<string, string>; body: string }
        const { text } = await callHttp({ ...call, headers, body })
        return new Response(text)
      }
    })
    const { text } = await webhook.send(slackMessage(items)).catch((error: { original: unknown }) => {
      throw error.original
    })
    return text
  }
  return async (items, call) => {
    const returns = (status: number, text: string) => status === 400 && REFUSED_BLOCKS.test(text)
    if (pictures(items) === 0) await send(items, call)
    else if (REFUSED_BLOCKS.test(await send(items, { ...call, returns }))) {
      await send(items.map(withoutPicture), call)
      return 'without pictures'
    }
    return 'complete'
  }
}

/** Matches the response to a message that Slack refuses. The response to an accepted one is `ok`. */
const REFUSED_BLOCKS = /^invalid_blocks\b/

const sendToTeams: Send = async (items, call) => {
  await callHttp({
    ...call,
    headers: { 'content-type': 'application/json', 'user-agent': 'cloudinary-listener' },
    body: JSON.stringify(teamsMessage(items))
  })
  return 'complete'
}

/**
 * Slack answers 403 or 404 for a webhook that was removed, 410 for an archived channel.
 * Source: https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks
 */
function remedyFor(status: number, variable: string): string | undefined {
  if ([401, 403, 404].includes(status)) return `check that ${variable} is the URL of an existing webhook`
  if (status === 410) return `the channel is archived or the webhook is gone: set another ${variable}`
  return undefined
}
