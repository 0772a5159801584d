import { Agent } from 'node:http'
import { Writable } from 'node:stream'
import { Breaker } from '../cloudinary/breaker.ts'
import { type CallOptions, CloudinaryClient, type CloudinaryClientOptions } from '../cloudinary/client.ts'
import type { CloudinaryClients } from '../cloudinary/clients.ts'
import type { CloudinaryEnvironment } from '../cloudinary/environment.ts'
import { type CloudinarySdk, loadSdk } from '../cloudinary/sdk.ts'
import type { FakeCloudinary, Responder } from './cloudinary.ts'

export interface FakeClientsOptions {
  cloudinary: FakeCloudinary
  environment: CloudinaryEnvironment
  /** Milliseconds since the epoch. */
  clock: () => number
  /** A number from 0 up to 1. */
  random: () => number
}

/** What the client adds to the options of each call: the same for all of them, or secret. */
const CLIENT_OPTIONS: Record<keyof CallOptions, true> = {
  cloud_name: true,
  api_key: true,
  api_secret: true,
  upload_prefix: true,
  signature_algorithm: true,
  agent: true,
  timeout: true
}

/** The real clients of one environment, with the real circuit breaker, whose SDK answers from a {@link FakeCloudinary}. */
export function fakeClients(options: FakeClientsOptions): Pick<CloudinaryClients, 'for' | 'breaker'> {
  const { cloudinary, environment, clock, random } = options
  const breaker = new Breaker({ clock, random })
  const agent = new Agent()
  const sdk = loadSdk()
  return {
    breaker: () => breaker,
    for: (_cloudName, signal) =>
      new RecordedClient({ environment, sdk, agent, signal, timeoutMs: 30_000, breaker, clock }, cloudinary)
  }
}

class RecordedClient extends CloudinaryClient {
  readonly #cloudinary: FakeCloudinary

  constructor(options: CloudinaryClientOptions, cloudinary: FakeCloudinary) {
    super(options)
    this.#cloudinary = cloudinary
  }

  override call<Result>(
    name: string,
    invoke: (sdk: CloudinarySdk, options: CallOptions, signal: AbortSignal) => Promise<Result>,
    timeoutMs?: number
  ): Promise<Result> {
    const answered: typeof invoke = (sdk, options, signal) =>
      invoke(answeredSdk(sdk, this.#cloudinary.begin(name)), options, signal)
    return super.call(name, answered, timeoutMs)
  }
}

/** Functions of `sdk.uploader` that make an address or a form, and call nothing. */
const LOCAL_FUNCTIONS: readonly PropertyKey[] = [
  'direct_upload',
  'download_generated_sprite',
  'download_multi',
  'image_upload_tag',
  'unsigned_image_upload_tag',
  'upload_tag_params',
  'upload_url'
]

/** The SDK, where each function that calls Cloudinary is answered. What calls nothing, such as `url`, is its own. */
function answeredSdk(sdk: CloudinarySdk, respond: Responder): CloudinarySdk {
  const answered = (part: 'uploader' | 'api') => ({
    value: new Proxy(sdk[part], {
      get(functions, name) {
        const real: unknown = Reflect.get(functions, name)
        if (typeof real !== 'function' || LOCAL_FUNCTIONS.includes(name)) return real
        const method = `${part}.${String(name)}`
        return (...args: unknown[]) =>
          method.endsWith('_stream')
            ? answeredStream(method, args, respond)
            : respond(method, args.map(withoutClientOptions))
      }
    })
  })
  return Object.create(sdk, { uploader: answered('uploader'), api: answered('api') })
}

/** A stream that takes any bytes, and reports the answer to the callback among the arguments once it has ended. */
function answeredStream(method: string, args: unknown[], respond: Responder): Writable {
  const callback = args.find((argument) => typeof argument === 'function') ?? (() => {})
  const given = args.filter((argument) => argument !== callback).map(withoutClientOptions)
  return new Writable({
    write: (_chunk, _encoding, done) => done(),
    final(done) {
      done()
      respond(method, given).then(
        (answer) => callback(undefined, answer),
        (reason) => callback(reason)
      )
    }
  })
}

function withoutClientOptions(argument: unknown): unknown {
  if (typeof argument !== 'object' || argument === null || !('api_secret' in argument)) return argument
  return Object.fromEntries(Object.entries(argument).filter(([name]) => !Object.hasOwn(CLIENT_OPTIONS, name)))
}
