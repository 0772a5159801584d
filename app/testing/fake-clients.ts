import { Writable } from 'node:stream'
import type { CallOptions } from '../cloudinary/client.ts'
import { CloudinaryClients, type CloudinaryClientsOptions } from '../cloudinary/clients.ts'
import type { CloudinarySdk } from '../cloudinary/sdk.ts'
import type { FakeCloudinary, Responder } from './fake-cloudinary.ts'

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

/** The real clients, with the real circuit breakers, whose SDK answers from a {@link FakeCloudinary}. */
export function fakeClients(
  cloudinary: FakeCloudinary,
  options: CloudinaryClientsOptions
): Pick<CloudinaryClients, 'for' | 'breaker'> {
  const clients = new CloudinaryClients(options)
  return {
    breaker: (cloudName) => clients.breaker(cloudName),
    for(cloudName, signal) {
      const client = clients.for(cloudName, signal)
      const call = client.call.bind(client)
      client.call = (name, invoke, timeoutMs) =>
        call(
          name,
          (sdk, callOptions, aborted) =>
            invoke(answeredSdk(sdk, cloudinary.begin(name)), callOptions, aborted),
          timeoutMs
        )
      return client
    }
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
