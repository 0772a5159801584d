import { Writable } from 'node:stream'
import type { CallOptions } from '../cloudinary/client.ts'
import { CloudinaryClients, type CloudinaryClientsOptions } from '../cloudinary/clients.ts'
import type { CloudinarySdk } from '../cloudinary/sdk.ts'
import type { FakeCloudinary, Responder } from './fake-cloudinary.ts'

/** Options that the client adds to each call. They are not recorded. */
const CLIENT_OPTIONS: Record<keyof CallOptions, true> = {
  cloud_name: true,
  api_key: true,
  api_secret: true,
  upload_prefix: true,
  signature_algorithm: true,
  agent: true,
  timeout: true
}

/**
 * Returns the real clients, with real circuit breakers, on an SDK that answers from a {@link FakeCloudinary}.
 */
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

/** Functions of `sdk.uploader` that only build a URL or a form. */
const LOCAL_FUNCTIONS: readonly PropertyKey[] = [
  'direct_upload',
  'download_generated_sprite',
  'download_multi',
  'image_upload_tag',
  'unsigned_image_upload_tag',
  'upload_tag_params',
  'upload_url'
]

/**
 * Returns an SDK whose calls to Cloudinary are answered by `respond`. Local functions, such as `url`, are the
 * real ones.
 */
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

/** Returns a stream that discards its content, and passes the answer to the callback in `args` at the end. */
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
