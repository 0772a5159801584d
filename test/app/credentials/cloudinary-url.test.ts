import { createRequire } from 'node:module'
import fc from 'fast-check'
import { test } from 'tap'
import { apiBaseUrl, parseCloudinaryUrl, parseSecret } from '../../../app/credentials/cloudinary-url.ts'
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

test('parses a Cloudinary URL', async (t) => {
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

test('reads the known parameters, the last of repeated ones', async (t) => {
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

test('keeps key and secret exactly as written', async (t) => {
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

test("agrees with the SDK's parser for the characters that Cloudinary uses", async (t) => {
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

test('rejects an invalid Cloudinary URL and names the invalid part', async (t) => {
  const invalid: [string, RegExp][] = [
    ['', /cloudinary:/],
    ['https://k:s@demo', /cloudinary:/],
    ['CLOUDINARY_URL=cloudinary://k:s@demo', /cloudinary:/],
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
    ['cloudinary://k:s@..', /cloud name/],
    ['cloudinary://k:s@demo:80', /cloud name/],
    [`${url}?upload_prefix=`, /upload_prefix/],
    [`${url}?upload_prefix=https://`, /upload_prefix/],
    [`${url}?upload_prefix=ftp://x`, /upload_prefix/],
    [`${url}?upload_prefix=HTTP://x`, /upload_prefix/],
    [`${url}?upload_prefix=http://x y`, /upload_prefix/],
    [`${url}?upload_prefix=http://x:99999`, /upload_prefix/],
    [`${url}?upload_prefix=http://user:pass@x`, /upload_prefix/],
    [`${url}?upload_prefix=http://x?y=z`, /upload_prefix/],
    [`${url}?signature_algorithm=md5`, /signature_algorithm/],
    [`${url}?signature_algorithm=`, /signature_algorithm/]
  ]
  for (const [text, message] of invalid) {
    const error = thrownBy(() => parseCloudinaryUrl(text))
    t.equal(error.code, 'CLOUDINARY_URL_INVALID', text)
    t.match(error.message, message, text)
    t.match(error.message, 'cloudinary://KEY:SECRET@CLOUD', 'says what to write')
  }
})

test('parses a URL, an assignment, or a JSON object of either', async (t) => {
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

test('rejects an invalid secret and names the invalid entry', async (t) => {
  const invalid: [string, RegExp][] = [
    ['', /it is empty/],
    [' \n', /it is empty/],
    ['hello', /cloudinary:/],
    ['CLOUDINARY_URL=', /cloudinary:/],
    ['cloudinary://k:s', /cloud name is missing/],
    ['{}', /empty JSON object/],
    ['{"main":', /not valid JSON/],
    [`["${url}"]`, /JSON array/],
    [JSON.stringify({ main: url, other: 'cloudinary://k@demo' }), /entry "other": .*API secret/],
    [JSON.stringify({ main: { url } }), /entry "main": .*string/],
    [JSON.stringify({ main: null }), /entry "main": .*string/],
    [JSON.stringify({ main: url, [url]: 'main' }), /entry number 2:/]
  ]
  for (const [text, message] of invalid) {
    const error = thrownBy(() => parseSecret(text))
    t.equal(error.code, 'SECRET_INVALID', text)
    t.match(error.message, message, text)
    t.equal(error.cause, undefined)
  }
})

test('returns the API URL of each environment', (t) => {
  const http = 'cloudinary://k:s@one?upload_prefix=http://localhost:4000'
  const https = 'cloudinary://k:s@two?upload_prefix=https://api-eu.cloudinary.com'
  t.strictSame(parseSecret(JSON.stringify({ http, https, url })).map(apiBaseUrl), [
    'http://localhost:4000',
    'https://api-eu.cloudinary.com',
    'https://api.cloudinary.com'
  ])
  t.end()
})

test('errors never contain a key or a secret', async () => {
  // long enough not to be in a message by chance
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

test('parses any text, or throws a ListenerError', async () => {
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
