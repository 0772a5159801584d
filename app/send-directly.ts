import type { Agent } from 'node:http'
import type { RequestOptions, Agent as TlsAgent } from 'node:https'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { DeserializeMiddleware } from '@smithy/types'
import { createSigner, type Signer, scopeOf } from './aws-signature.ts'
import { http, https } from './http-modules.ts'

/** A command of the AWS SDK. */
interface Command {
  constructor: unknown
  input: object
}

/** A client of a service with the JSON protocol. */
type SdkClient = {
  config: Pick<SQSClient['config'], 'credentials' | 'systemClockOffset' | 'requestHandler'>
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
  /** Supplies address, credentials and connections. */
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

/** Where a service is, and how requests to it are signed. */
interface Destination extends Origin {
  /** The header. */
  host: string
  sign: Signer
}

/** A request that the SDK has signed. */
interface SdkRequest extends Origin {
  path: string
  headers: { host: string; authorization?: string }
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
  let destination: Destination | undefined
  const { config } = client
  const handler = config.requestHandler as unknown as NodeHandler

  const noteDestination: DeserializeMiddleware<object, object> = (next) => async (args) => {
    const result = await next(args)
    const { statusCode } = result.response as { statusCode: number }
    const { protocol, hostname, port, path, headers } = args.request as SdkRequest
    const scope = scopeOf(headers.authorization)
    // a proxy with a path of its own, or an address of IPv6, is left to the SDK
    if (statusCode === 200 && path === '/' && !hostname.includes(':') && scope)
      destination ??= { protocol, hostname, port, host: headers.host, sign: createSigner(scope) }
    return result
  }
  const place = { step: 'deserialize', priority: 'low', name: 'noteDestination' }
  client.middlewareStack.add(noteDestination as never, place as never)

  async function request(
    { protocol, hostname, port, host, sign }: Destination,
    operation: string,
    input: object,
    abortSignal: AbortSignal | undefined
  ) {
    const body = encode(input)
    const headers = {
      host,
      'content-type': CONTENT_TYPE,
      'content-length': String(Buffer.byteLength(body)),
      'x-amz-target': `${target}.${operation}`
    }
    const credentials = await config.credentials()
    const date = new Date(Date.now() + config.systemClockOffset)
    const { httpAgent, httpsAgent, requestTimeout, connectionTimeout } = handler.httpHandlerConfigs()
    const { status, text } = await post(MODULES[protocol].request, body, {
      hostname,
      port,
      headers: sign({ headers, body }, credentials, date),
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
    if (destination && operation !== undefined) {
      let error: Error | undefined
      try {
        const answer = await request(destination, operation, command.input, abortSignal)
        if ('output' in answer) return answer.output
        error = finalError?.(answer.failure)
        // only the SDK slows down for a service that fails
        if (isServiceFailure(answer.failure)) destination = undefined
      } catch (err) {
        destination = undefined
        if (abortSignal?.aborted) throw err
      }
      if (error) throw error
    }
    return send(command, options)
  }
}

const isServiceFailure = ({ name, $metadata }: ServiceFailure): boolean =>
  $metadata.httpStatusCode >= 500 || /Throttl|LimitExceeded|ThroughputExceeded/.test(name)

/**
 * Sends a request, and collects its response. `timeout` limits how long nothing is received. Node.js sends a
 * string with the headers, in one write to the socket.
 */
function post(
  request: typeof http.request,
  body: string,
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
