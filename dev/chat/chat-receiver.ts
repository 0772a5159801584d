import type { FastifyInstance } from 'fastify'
import { chatPage } from './chat-page.ts'
import {
  type ReceivedMessage,
  shownBySlack,
  shownByTeams,
  slackProblem,
  teamsProblem
} from './chat-payloads.ts'

/** Maximum number of messages to keep. */
const REMEMBERED = 200

/**
 * Receives messages like an incoming webhook of Slack and a webhook of Teams Workflows, and shows them.
 * `POST /chat` answers a valid message as these do, and an invalid one 400; `GET /chat` is a page, and
 * `GET /chat/messages` returns JSON.
 */
export async function chatReceiver(app: FastifyInstance): Promise<void> {
  const messages: ReceivedMessage[] = []
  const keep = (message: Omit<ReceivedMessage, 'receivedAt'>) => {
    messages.splice(0, messages.length - REMEMBERED + 1)
    messages.push({ receivedAt: new Date().toISOString(), ...message })
  }

  // Slack responds with text, even to a body that is not JSON
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))

  app.post<{ Body: string | undefined }>('/chat', async ({ body = '' }, reply) => {
    const payload = parse(body)
    const isTeams = typeof payload === 'object' && payload !== null && 'attachments' in payload
    const problem = isTeams ? teamsProblem(payload) : slackProblem(payload)
    reply.type('text/plain')
    if (problem !== undefined) {
      reply.code(400)
      return `${payload === undefined ? 'invalid_payload' : 'invalid_blocks'}: ${problem}`
    }
    const items = isTeams ? shownByTeams(payload) : shownBySlack(payload)
    keep({ service: isTeams ? 'Teams' : 'Slack', items, payload })
    if (isTeams) reply.code(202)
    return isTeams ? '' : 'ok'
  })

  app.get('/chat', async (_request, reply) => {
    reply.type('text/html; charset=utf-8')
    return chatPage(messages)
  })

  app.get('/chat/messages', async () => messages)
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
