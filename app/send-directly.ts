import type { Agent } from 'node:http'
import type { RequestOptions, Agent as TlsAgent } from 'node:https'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { DeserializeMiddleware } from '@smithy/types'
import { http, https } from './http-modules.ts'

/** A command of the AWS SDK. */
interface Command {
  constructor: unknown
  input: object
}

/** A client of a service with the JSON protocol. */
type SdkClient = {
  config: Pick<SQSClient['config'], 'signer' | 'systemClockOffset' | 'requestHandler'>
  middlewareStack: { add: (...args: never[]) => void }
}

type Send = (command: Command, options?: { abortSignal?: AbortSignal }) => Promise<unknown>

/** An error response of a service. */
export interface ServiceFailure {
  name: string
  message: string
  $metadata: { httpStatusCode: number }
}

export interface DirectSendOptions {
  /** Supplies address, credentials, signer and connections. */
  client: SdkClient
  /** The part of `X-Amz-Target` before the name of the operation. */
  target: string
  /** Returns the name of the operation if a command is to be sent directly. */
  operationOf: (command: Command) => string | undefined
  /** Sends a command as the SDK does. */
  send: Send
  /** Returns the error to throw at once; undefined if sending the command again may succeed. (Default: undefined) */
  finalError?: (failure: ServiceFailure) => Error | undefined
  /** Encodes an input as JSON. */
  encode: (input: object) => string
}

interface Origin {
  protocol: 'http:' | 'https:'
  hostname: string
  port?: number | undefined
}

/** The SDK's HTTP handler, which has its options once it has sent a request. */
interface NodeHandler {
  httpHandlerConfigs: () => {
    httpAgent: Agent
    httpsAgent: TlsAgent
    requestTimeout?: number
    connectionTimeout?: number
  }
}

const MODULES = { 'http:': http, 'https:': https }

const CONTENT_TYPE = 'application/x-amz-json-1.0'

/**
 * Returns a `send` that makes one signed HTTP request of a command, with the parts of an SDK client but
 * without its middleware, which takes two thirds of the CPU time of a call.
 *
 * After any failure the SDK sends the command again, with its own retries, correction of the clock, and errors;
 * so a command may be sent twice, as by any retry of the SDK. The SDK also sends the first command, and each
 * after a lost connection or while the service fails, until one has succeeded: they show the address.
 *
 * @throws {Error} from `finalError`; the SDK's errors
 */
export function sendDirectly({
  client,
  target,
  operationOf,
  send,
  finalError,
  encode
}: DirectSendOptions): Send {
  let origin: Origin | undefined
  const { config } = client
  const handler = config.requestHandler as unknown as NodeHandler
  const signer = config.signer()
  // the first use reports a missing region
  signer.catch(() => {})

  const noteOrigin: DeserializeMiddleware<object, object> = (next) => async (args) => {
    const result = await next(args)
    const { statusCode } = result.response as { statusCode: number }
    const { protocol, hostname, port, path } = args.request as Origin & { path: string }
    // a proxy with a path of its own, or an address of IPv6, is left to the SDK
    if (statusCode === 200 && path === '/' && !hostname.includes(':')) origin = { protocol, hostname, port }
    return result
  }
  const place = { step: 'deserialize', priority: 'low', name: 'noteOrigin' }
  client.middlewareStack.add(noteOrigin as never, place as never)

  async function request(at: Origin, operation: string, input: object, abortSignal: AbortSignal | undefined) {
    const body = Buffer.from(encode(input))
    const { protocol, hostname, port } = at
    const signed = await (await signer).sign(
      {
        method: 'POST',
        protocol,
        hostname,
        port,
        path: '/',
        query: {},
        headers: {
          host: [hostname, port].filter((part) => part !== undefined).join(':'),
          'content-type': CONTENT_TYPE,
          'content-length': String(body.length),
          'x-amz-target': `${target}.${operation}`
        },
        body
      },
      { signingDate: new Date(Date.now() + config.systemClockOffset) }
    )
    const { httpAgent, httpsAgent, requestTimeout, connectionTimeout } = handler.httpHandlerConfigs()
    const { status, text } = await post(MODULES[protocol].request, body, {
      hostname,
      port,
      headers: signed.headers,
      agent: { 'http:': httpAgent, 'https:': httpsAgent }[protocol],
      timeout: requestTimeout,
      connectionTimeout,
      signal: abortSignal
    })
    const output: unknown = JSON.parse(text)
    return status === 200 ? { output } : { failure: failureOf(output, status) }
  }

  return async (command, options = {}) => {
    const { abortSignal } = options
    const operation = operationOf(command)
    if (origin && operation !== undefined) {
      let error: Error | undefined
      try {
        const answer = await request(origin, operation, command.input, abortSignal)
        if ('output' in answer) return answer.output
        error = finalError?.(answer.failure)
        // only the SDK slows down for a service that fails
        if (isServiceFailure(answer.failure)) origin = undefined
      } catch (err) {
        origin = undefined
        if (abortSignal?.aborted) throw err
      }
      if (error) throw error
    }
    return send(command, options)
  }
}

const isServiceFailure = ({ name, $metadata }: ServiceFailure): boolean =>
  $metadata.httpStatusCode >= 500 || /Throttl|LimitExceeded|ThroughputExceeded/.test(name)

/** Sends a request, and collects its response. `timeout` limits how long nothing is received. */
function post(
  request: typeof http.request,
  body: Buffer,
  { connectionTimeout, ...options }: RequestOptions & { connectionTimeout: number | undefined }
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const sending = request({ ...options, method: 'POST' }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () =>
      resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString() })
    )
    response.on('error', reject)
  })
  sending.on('error', reject)
  sending.on('socket', (socket) => {
    if (!socket.connecting || connectionTimeout === undefined) return
    const timer = setTimeout(() => sending.destroy(new Error('the connection timed out')), connectionTimeout)
    socket.once('connect', () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
  })
  sending.on('timeout', () => sending.destroy(new Error('the request timed out')))
  sending.end(body)
  return promise
}

function failureOf(body: unknown, httpStatusCode: number): ServiceFailure {
  const { __type = '', message = '' } = body as { __type?: string; message?: string }
  return { name: __type.replace(/^.*#/, ''), message, $metadata: { httpStatusCode } }
}
