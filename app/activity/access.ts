import { createHash, timingSafeEqual } from 'node:crypto'
import basicAuth from '@fastify/basic-auth'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RequestError } from './request-error.ts'
import { isSameOrigin } from './same-origin.ts'

export const USER_NAME = 'listener'

/** `full`: with the password. `read`: with a token, for the feed without payloads and errors. */
export type Access = 'full' | 'read'

declare module 'fastify' {
  interface FastifyRequest {
    access: Access
  }
  interface FastifyContextConfig {
    /** `token`: a read token is also accepted. `open`: no login. Default: the password is required. */
    access?: 'token' | 'open'
  }
}

export interface AccessOptions {
  password: string
  readTokens: readonly string[]
}

/** Maximum number of wrong passwords and tokens per address and minute. */
const WRONG_PER_MINUTE = 10

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

/** Requires the password, or a token on routes for tokens, and refuses changes from other origins. */
export async function protect(app: FastifyInstance, { password, readTokens }: AccessOptions): Promise<void> {
  const isUser = equals(USER_NAME)
  const isPassword = equals(password)
  const tokens = readTokens.map(equals)
  await app.register(rateLimit, { global: false })
  await app.register(basicAuth, {
    authenticate: { realm: 'activity' },
    validate: async (user, given) => {
      // compare both, so that the duration does not reveal the user name
      const isRight = [isUser(user), isPassword(given)].every(Boolean)
      if (!isRight) throw new RequestError(401, 'PASSWORD_WRONG', 'wrong user name or password')
    }
  })
  // keeps counts of up to 5,000 addresses
  const wrong = app.createRateLimit({ max: WRONG_PER_MINUTE, timeWindow: 60_000 })
  const checkPassword = (request: FastifyRequest, reply: FastifyReply) =>
    new Promise<void>((resolve, reject) => {
      const check = app.basicAuth as (
        request: FastifyRequest,
        reply: FastifyReply,
        done: (error?: Error) => void
      ) => void
      check(request, reply, (error) => (error ? reject(error) : resolve()))
    })

  const authenticate = async (request: FastifyRequest, reply: FastifyReply): Promise<Access> => {
    const { authorization } = request.headers
    if (authorization === undefined) {
      await checkPassword(request, reply).catch(() => {})
      throw new RequestError(401, 'PASSWORD_MISSING', `log in as ${USER_NAME} with ACTIVITY_PASSWORD`)
    }
    const state = await wrong(request, { increment: false })
    if (!state.isAllowed && state.remaining === 0) {
      throw new RequestError(
        429,
        'TOO_MANY_LOGINS',
        'too many wrong passwords; wait a minute',
        state.ttlInSeconds
      )
    }
    try {
      const [, token] = /^Bearer +([^ ]+) *$/i.exec(authorization) ?? []
      if (token === undefined) {
        await checkPassword(request, reply)
        return 'full'
      }
      // compare all tokens, so that the duration does not reveal the matching one
      if (tokens.map((isToken) => isToken(token)).some(Boolean)) return 'read'
      reply.header('www-authenticate', 'Bearer realm="activity", error="invalid_token"')
      throw new RequestError(401, 'TOKEN_INVALID', 'the token is not one of ACTIVITY_READ_TOKENS')
    } catch (error) {
      await wrong(request)
      request.log.warn({ code: (error as RequestError).code, ip: request.ip }, 'login refused')
      throw error
    }
  }

  app.decorateRequest('access', 'full')
  app.addHook('onRequest', async (request, reply) => {
    const { access } = request.routeOptions.config
    if (access === 'open') return
    request.access = await authenticate(request, reply)
    if (request.access === 'read' && access !== 'token') {
      throw new RequestError(403, 'TOKEN_READ_ONLY', 'a token reads the list of events and the stream only')
    }
    if (!SAFE_METHODS.includes(request.method) && !isSameOrigin(request.headers)) {
      throw new RequestError(403, 'CROSS_ORIGIN_REFUSED', 'the request comes from a page of another origin')
    }
  })
}

/** Returns a comparison with a secret in constant time, for values of any length. */
function equals(secret: string): (given: string) => boolean {
  const expected = sha256(secret)
  return (given) => timingSafeEqual(sha256(given), expected)
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
