import assert from 'node:assert/strict'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { ListenerError } from '../../../app/errors.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES } from '../../../app/queue/message-codec.ts'
import { anyCharacter } from '../../support/any-character.ts'

const MIB = 1024 * 1024

const event: AssetEvent = {
  id: '0123456789abcdef0123456789abcdef',
  type: 'upload',
  notificationType: 'upload',
  environment: 'demo',
  asset: { assetId: 'a'.repeat(32), publicId: 'samples/bag', version: 1_780_315_200 },
  group: 'fedcba9876543210fedcba9876543210',
  occurredAt: '2026-06-01T12:00:00.000Z',
  receivedAt: '2026-06-01T12:00:01.000Z',
  origin: { source: 'api', id: '222222222222222', own: false },
  payload: { notification_type: 'upload', tags: [] }
}

const withPayload = (payload: Record<string, unknown>): AssetEvent => ({ ...event, payload })

/** Pseudo-random text that compresses to no less than three quarters. */
function incompressible(length: number): string {
  let state = 1
  const bytes = Buffer.alloc(Math.ceil((length * 3) / 4))
  for (let at = 0; at < bytes.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes.toString('base64').slice(0, length)
}

/**
 * The characters that SQS accepts: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const ACCEPTED_BY_SQS = /^[\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u

const awkward = fc.constantFrom(
  '\uFFFE',
  '\uFFFF',
  '\uFFFD',
  '\uFEFF',
  '\uD800',
  '\uDFFF',
  '\u{1FFFE}',
  '\u{10FFFF}',
  '\u0000',
  '\u000B',
  '\u001F',
  '\u007F',
  '\u0085',
  '\u2028',
  '\\',
  '"',
  '\\uffff',
  'gzip:'
)
const anyText = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.array(awkward, { maxLength: 20 }).map((parts) => parts.join(''))
)
/** Any value that JSON.parse can return. */
const anyJson = fc
  .object({
    // of two characters at least: Node.js 24.21 can read an object's key that is one escaped character
    // wrongly
    key: fc.oneof(
      anyText.map((text) => `${text}..`),
      fc.constantFrom('__proto__', 'constructor', 'toJSON')
    ),
    values: [anyText, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)],
    maxDepth: 4
  })
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)

t.test('decodes any event to what was encoded', async () => {
  fc.assert(
    fc.property(anyJson, anyText, anyText, (payload, publicId, environment) => {
      const written = { ...event, environment, asset: { publicId }, payload }
      assert.equal(JSON.stringify(decodeMessage(encodeMessage(written))), JSON.stringify(written))
    }),
    { numRuns: 300 }
  )
})

t.test('encodes any event in characters that SQS accepts', async () => {
  fc.assert(
    fc.property(anyJson, anyText, (payload, publicId) =>
      ACCEPTED_BY_SQS.test(encodeMessage({ ...event, asset: { publicId }, payload }))
    ),
    { numRuns: 300 }
  )
})

t.test('escapes the two characters that JSON allows and SQS rejects', async (t) => {
  const written = withPayload({ text: '\uFFFE and \uFFFF', '\uFFFF': 1 })
  const message = encodeMessage(written)
  t.ok(message.includes('{"text":"\\ufffe and \\uffff","\\uffff":1}'))
  t.strictSame(decodeMessage(message), written)
})

t.test('encodes an event of up to 256 KiB as JSON, and compresses a larger one', async (t) => {
  const overhead = Buffer.byteLength(encodeMessage(withPayload({ text: '' })))
  // two bytes each in UTF-8
  const characters = Math.floor((256 * 1024 - overhead) / 2)
  const padding = 'x'.repeat((256 * 1024 - overhead) % 2)
  const largest = withPayload({ text: 'é'.repeat(characters) + padding })
  const larger = withPayload({ text: `${'é'.repeat(characters)}${padding}x` })

  t.equal(Buffer.byteLength(encodeMessage(largest)), 256 * 1024)
  t.equal(encodeMessage(largest), JSON.stringify(largest))
  t.strictSame(decodeMessage(encodeMessage(largest)), largest)

  const compressed = encodeMessage(larger)
  t.match(compressed, /^gzip:[A-Za-z0-9+/]+=*$/)
  t.ok(compressed.length < 10_000)
  t.equal(gunzipSync(Buffer.from(compressed.slice(5), 'base64')).toString(), JSON.stringify(larger))
  t.strictSame(decodeMessage(compressed), larger)
})

t.test('decodes a large event that fits when compressed', async (t) => {
  const large = withPayload({ text: incompressible(0.98 * MIB) })
  const message = encodeMessage(large)
  t.ok(message.length > MIB * 0.9 && message.length <= MAX_MESSAGE_BYTES, String(message.length))
  t.strictSame(decodeMessage(message), large)
})

t.test('rejects an event that is too large even when compressed', async (t) => {
  t.throws(() => encodeMessage(withPayload({ text: incompressible(1.1 * MIB) })), {
    name: 'ListenerError',
    code: 'EVENT_TOO_LARGE',
    message: /0123456789abcdef0123456789abcdef.*\b1044480\b/
  })
})

t.test('rejects an event that compresses well but is too large to decode', async (t) => {
  // two bytes each in UTF-8
  t.throws(() => encodeMessage(withPayload({ text: 'é'.repeat(65 * MIB) })), {
    code: 'EVENT_TOO_LARGE',
    message: /0123456789abcdef0123456789abcdef.*\b134217728\b/
  })
})

t.test('encodes an event of many times the limit if it compresses well', async (t) => {
  const large = withPayload({ text: 'x'.repeat(32 * MIB) })
  t.equal((decodeMessage(encodeMessage(large)).payload.text as string).length, 32 * MIB)
})

const SECRET_TEXT = 'what-a-customer-wrote'

/** A valid event, padded with white space beyond the size limit. */
function bomb(): Buffer {
  // the members of a gzip file are one text
  const padding = gzipSync(Buffer.alloc(MIB, ' '))
  return Buffer.concat([gzipSync(JSON.stringify(event)), ...Array<Buffer>(129).fill(padding)])
}

const UNREADABLE: Record<string, string> = {
  'an empty body': '',
  'text that is not JSON': `${SECRET_TEXT} {`,
  'truncated JSON': JSON.stringify(withPayload({ text: SECRET_TEXT })).slice(0, -1),
  'a list': JSON.stringify([SECRET_TEXT]),
  null: 'null',
  'a number': '1',
  'a text': JSON.stringify(SECRET_TEXT),
  'nothing after the compression prefix': 'gzip:',
  'garbage after the compression prefix': `gzip:${SECRET_TEXT}`,
  'compressed text that is not JSON': `gzip:${gzipSync(SECRET_TEXT).toString('base64')}`,
  'compressed JSON that is not an event': `gzip:${gzipSync('{}').toString('base64')}`,
  'truncated compressed data': `gzip:${gzipSync(JSON.stringify(event)).subarray(0, 100).toString('base64')}`,
  'a decompression bomb': `gzip:${bomb().toString('base64')}`
}

for (const [what, body] of Object.entries(UNREADABLE)) {
  t.test(`rejects ${what} with MESSAGE_UNREADABLE`, async (t) => {
    t.throws(() => decodeMessage(body), { name: 'ListenerError', code: 'MESSAGE_UNREADABLE' })
  })
}

t.test('rejects an object with a missing or invalid field', async (t) => {
  for (const field of ['id', 'type', 'environment', 'group', 'occurredAt', 'origin', 'payload'] as const) {
    const { [field]: _, ...rest } = event
    for (const broken of [rest, { ...rest, [field]: 1 }, { ...rest, [field]: null }]) {
      t.throws(() => decodeMessage(JSON.stringify(broken)), { code: 'MESSAGE_UNREADABLE' }, field)
    }
  }
})

t.test('decodes an event of an unknown type', async (t) => {
  t.equal(decodeMessage(JSON.stringify({ ...event, type: 'asset_admired' })).type, 'asset_admired')
})

t.test('the error for an unreadable message does not quote it and has no cause', async () => {
  const decodeError = (body: string) => {
    try {
      return decodeMessage(body)
    } catch (error) {
      return error
    }
  }
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.boolean(), (text, compressed) => {
      const marked = `${SECRET_TEXT}${text}`
      const error = decodeError(compressed ? `gzip:${gzipSync(marked).toString('base64')}` : marked)
      assert.ok(error instanceof ListenerError)
      const { message, stack, cause } = error as ListenerError
      assert.ok(!`${message}${stack}`.includes(SECRET_TEXT))
      assert.equal(cause, undefined)
    })
  )
})
