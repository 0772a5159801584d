import { createRequire } from 'node:module'
import fc from 'fast-check'
import { test } from 'tap'
import { hostOf, parseCloudinaryUrl, parseSecret } from '../../../app/credentials/cloudinary-url.ts'
import { ListenerError } from '../../../app/errors.ts'

const url = 'cloudinary://123456789012345:aBc-_dEf@demo'
const demo = { cloudName: 'demo', apiKey: '123456789012345', apiSecret: 'aBc-_dEf' }

function thrownBy(run: () => unknown): ListenerError {
  try {
    run()
  } catch (error) {
    if (error instanceof ListenerError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('a Cloudinary URL is read into its parts', async (t) => {
  t.strictSame(parseCloudinaryUrl(url), demo)
  t.strictSame(parseCloudinaryUrl(` ${url}\n`), demo, 'white space around it')
  t.strictSame(parseCloudinaryUrl('CLOUDINARY://k:s@Demo_1-x.y'), {
    cloudName: 'Demo_1-x.y',
    apiKey: 'k',
    apiSecret: 's'
  })
  t.strictSame(
    parseCloudinaryUrl(`${url}/assets.example.com?secure=true#here`),
    demo,
    'what the SDK alone uses'
  )
  t.strictSame(parseCloudinaryUrl(`${url}?`), demo)
})

test('the parameters the listener knows are read, and of repeated ones the last', async (t) => {
  const query = 'upload_prefix=https://api-eu.cloudinary.com//&signature_algorithm=sha256&secure=true'
  t.strictSame(parseCloudinaryUrl(`${url}?${query}`), {
    ...demo,
    uploadPrefix: 'https://api-eu.cloudinary.com',
    signatureAlgorithm: 'sha256'
  })
  t.equal(
    parseCloudinaryUrl(`${url}?upload_prefix=http%3A%2F%2Flocalhost%3A4000`).uploadPrefix,
    'http://localhost:4000'
  )
  t.equal(
    parseCloudinaryUrl(`${url}?signature_algorithm=sha256&signature_algorithm=sha1`).signatureAlgorithm,
    'sha1'
  )
})

test('key and secret are exactly what was written', async (t) => {
  t.strictSame(parseCloudinaryUrl('cloudinary://k%20:a=b|c^d@e:f%2Fg@demo'), {
    cloudName: 'demo',
    apiKey: 'k%20',
    apiSecret: 'a=b|c^d@e:f%2Fg'
  })
  const part = fc.stringMatching(/^[A-Za-z0-9_\-.~!$&'()*+,;=%|^{}"`]+[A-Za-z0-9]$/)
  fc.assert(
    fc.property(part, part, (apiKey, apiSecret) => {
      t.strictSame(parseCloudinaryUrl(`cloudinary://${apiKey}:${apiSecret}@demo`), {
        cloudName: 'demo',
        apiKey,
        apiSecret
      })
    }),
    { numRuns: 50 }
  )
})

test("for the characters Cloudinary uses, the SDK's own parser agrees", async (t) => {
  const before = process.env.CLOUDINARY_URL
  t.teardown(() => {
    if (before === undefined) delete process.env.CLOUDINARY_URL
    else process.env.CLOUDINARY_URL = before
  })
  const config = createRequire(import.meta.url)('cloudinary/lib/config')
  const part = fc.stringMatching(/^[A-Za-z0-9_-]+$/)
  fc.assert(
    fc.property(part, part, fc.stringMatching(/^[A-Za-z0-9]\w*$/), (apiKey, apiSecret, cloudName) => {
      const text = `cloudinary://${apiKey}:${apiSecret}@${cloudName}?upload_prefix=https://api-ap.cloudinary.com`
      process.env.CLOUDINARY_URL = text
      const { cloud_name, api_key, api_secret, upload_prefix } = config(true)
      t.strictSame(parseCloudinaryUrl(text), {
        cloudName: cloud_name,
        apiKey: api_key,
        apiSecret: api_secret,
        uploadPrefix: upload_prefix
      })
    }),
    { numRuns: 50 }
  )
})

test('a Cloudinary URL that cannot be used is refused, naming the part at fault', async (t) => {
  const faults: [string, RegExp][] = [
    ['', /does not begin with cloudinary:/],
    ['https://k:s@demo', /does not begin with cloudinary:/],
    ['CLOUDINARY_URL=cloudinary://k:s@demo', /does not begin with cloudinary:/],
    ['cloudinary://', /API key and the API secret are missing/],
    ['cloudinary://demo', /API key and the API secret are missing/],
    ['cloudinary://k:s', /cloud name is missing/],
    ['cloudinary://k:s@', /cloud name is missing/],
    ['cloudinary://k:s@?upload_prefix=https://x', /cloud name is missing/],
    ['cloudinary://k@demo', /API secret is missing/],
    ['cloudinary://k:@demo', /API secret is missing/],
    ['cloudinary://:s@demo', /API key is missing/],
    ['cloudinary://@demo', /API key is missing/],
    ['cloudinary://k:a b@demo', /white space/],
    ['cloudinary://k:s\n@demo', /white space/],
    ['cloudinary://<your_api_key>:s@demo', /API key is a placeholder/],
    ['cloudinary://k:<your_api_secret>@demo', /API secret is a placeholder/],
    ['cloudinary://k:**********@demo', /API secret is a placeholder/],
    ['cloudinary://k:s@..', /cloud name may hold/],
    ['cloudinary://k:s@demo:80', /cloud name may hold/],
    [`${url}?upload_prefix=`, /upload_prefix is not a plain/],
    [`${url}?upload_prefix=https://`, /upload_prefix is not a plain/],
    [`${url}?upload_prefix=ftp://x`, /upload_prefix is not a plain/],
    [`${url}?upload_prefix=HTTP://x`, /upload_prefix is not a plain/],
    [`${url}?upload_prefix=http://x y`, /upload_prefix is not a plain/],
    [`${url}?upload_prefix=http://x:99999`, /upload_prefix is not a plain/],
    [`${url}?upload_prefix=http://user:pass@x`, /upload_prefix is not a plain/],
    [`${url}?upload_prefix=http://x?y=z`, /upload_prefix is not a plain/],
    [`${url}?signature_algorithm=md5`, /signature_algorithm is neither/],
    [`${url}?signature_algorithm=`, /signature_algorithm is neither/]
  ]
  for (const [text, message] of faults) {
    const error = thrownBy(() => parseCloudinaryUrl(text))
    t.equal(error.code, 'CLOUDINARY_URL_INVALID', text)
    t.match(error.message, message, text)
    t.match(error.message, 'Write it as cloudinary://KEY:SECRET@CLOUD', 'it says what to do')
  }
})

test('a secret is a URL, an assignment, or JSON of names to either', async (t) => {
  const named = JSON.stringify({
    main: `CLOUDINARY_URL=${url}`,
    second: 'cloudinary://k:s@two?upload_prefix=https://api-eu.cloudinary.com',
    'another of the first': ' cloudinary://older:secret@demo\n'
  })
  for (const text of [
    url,
    `\n ${url} \n`,
    `"${url}"`,
    `CLOUDINARY_URL=${url}\n`,
    `CLOUDINARY_URL = '${url}'`,
    `"CLOUDINARY_URL=${url}"`,
    `\uFEFF${url}`
  ]) {
    t.strictSame(parseSecret(text), [demo], text)
  }
  t.strictSame(parseSecret(`\n${named}\n`), [
    demo,
    { cloudName: 'two', apiKey: 'k', apiSecret: 's', uploadPrefix: 'https://api-eu.cloudinary.com' },
    { cloudName: 'demo', apiKey: 'older', apiSecret: 'secret' }
  ])
})

test('a secret that cannot be used is refused, naming the entry at fault', async (t) => {
  const faults: [string, RegExp][] = [
    ['', /it is empty/],
    [' \n', /it is empty/],
    ['hello', /does not begin with cloudinary:/],
    ['CLOUDINARY_URL=', /does not begin with cloudinary:/],
    ['cloudinary://k:s', /cloud name is missing/],
    ['{}', /without entries/],
    ['{"main":', /not valid JSON/],
    [`["${url}"]`, /JSON array/],
    [
      JSON.stringify({ main: url, other: 'cloudinary://k@demo' }),
      /entry "other" is at fault: the API secret is missing/
    ],
    [JSON.stringify({ main: { url } }), /entry "main" is at fault: its value is not a text/],
    [JSON.stringify({ main: null }), /entry "main" is at fault: its value is not a text/],
    [JSON.stringify({ main: url, [url]: 'main' }), /entry number 2 is at fault/]
  ]
  for (const [text, message] of faults) {
    const error = thrownBy(() => parseSecret(text))
    t.equal(error.code, 'SECRET_INVALID', text)
    t.match(error.message, message, text)
    t.equal(error.cause, undefined)
  }
})

test('each environment has its host, over http or https', (t) => {
  const http = 'cloudinary://k:s@one?upload_prefix=http://localhost:4000'
  const https = 'cloudinary://k:s@two?upload_prefix=https://api-eu.cloudinary.com'
  t.strictSame(parseSecret(JSON.stringify({ http, https, url })).map(hostOf), [
    'http://localhost:4000',
    'https://api-eu.cloudinary.com',
    'https://api.cloudinary.com'
  ])
  t.end()
})

test('no error holds a key or a secret, whatever is wrong', async () => {
  // Long enough not to be in a message by chance.
  const credential = fc.stringMatching(/^[A-Za-z0-9_-]{12,27}$/)
  const shapes: ((key: string, secret: string) => string)[] = [
    (key, secret) => `${key}:${secret}@demo`,
    (key, secret) => `cloudinary:/${key}:${secret}@demo`,
    (key, secret) => `cloudinary://${key}:${secret}`,
    (key, secret) => `cloudinary://${key}:${secret}@`,
    (key, secret) => `cloudinary://${key}:/${secret}@demo`,
    (key, secret) => `cloudinary://${key} ${secret}@demo`,
    (key, secret) => `cloudinary://demo:${key}@${secret}:`,
    (key, secret) => `cloudinary://${key}${secret}@demo`,
    (key, secret) => `cloudinary://${key}:${secret}@demo?upload_prefix=${secret}`,
    (key, secret) => `cloudinary://${key}:${secret}@demo?signature_algorithm=${secret}`,
    (key, secret) => secret + key
  ]
  const wrappings: ((text: string) => string)[] = [
    (text) => text,
    (text) => `CLOUDINARY_URL=${text}`,
    (text) => JSON.stringify({ main: text }),
    (text) => JSON.stringify({ main: url, second: `CLOUDINARY_URL=${text}` }),
    (text) => JSON.stringify({ main: [text] }),
    (text) => JSON.stringify({ [`cloudinary://${text}`]: 'main' }),
    (text) => JSON.stringify([text]),
    (text) => `{"main":"${text}`,
    (text) => `{"main":${text}}`,
    (text) => `{${text}}`
  ]
  fc.assert(
    fc.property(
      credential,
      credential,
      fc.constantFrom(...shapes),
      fc.constantFrom(...wrappings),
      (key, secret, shape, wrap) => {
        for (const error of [
          thrownBy(() => parseCloudinaryUrl(shape(key, secret))),
          thrownBy(() => parseSecret(wrap(shape(key, secret))))
        ]) {
          const said = `${error.code} ${error.message} ${error.stack} ${error.cause}`
          if (said.includes(secret) || said.includes(key)) throw new Error(`leaked by ${shape} in ${wrap}`)
        }
      }
    ),
    { numRuns: 1000 }
  )
})

test('anything at all is either read or refused with one of our own errors', async () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom('cloudinary://', 'CLOUDINARY_URL=', ':', '@', '?', '{', '}', '"', 'a'),
      fc.string()
    ),
    { maxLength: 12 }
  )
  fc.assert(
    fc.property(pieces, (parts) => {
      for (const parse of [parseCloudinaryUrl, parseSecret]) {
        try {
          parse(parts.join(''))
        } catch (error) {
          if (!(error instanceof ListenerError)) throw error
        }
      }
    }),
    { numRuns: 2000 }
  )
})
