import fc from 'fast-check'
import t from 'tap'
import { checkHeaders, type HeaderOutcome, verifySignature } from '../../../app/ingest/signature.ts'
import { signatureHeaders } from '../../../app/testing/sign.ts'
import { anyCharacter } from '../../support/any-character.ts'

/** 2026-06-01T12:00:00Z, in seconds. */
const NOW = 1_780_315_200

const TOLERANCE_SECONDS = 7200

type WellFormed = Extract<HeaderOutcome, { outcome: 'well-formed' }>

/** Checks the headers at NOW, or at another time. */
function check(
  headers: { signature?: string; timestamp?: string; signatureV2?: string },
  { toleranceSeconds = TOLERANCE_SECONDS, seconds = NOW } = {}
) {
  return checkHeaders(
    { signature: undefined, timestamp: undefined, ...headers },
    { toleranceSeconds, clock: () => seconds * 1000 }
  )
}

function signed(
  body: Uint8Array | string,
  key: Parameters<typeof signatureHeaders>[1],
  timestamp: number | string = NOW
) {
  const headers = signatureHeaders(body, key, timestamp)
  return { signature: headers['x-cld-signature'], timestamp: headers['x-cld-timestamp'] }
}

/** Runs both checks, as the webhook does. */
function verify<Key extends { apiSecret: string; signatureAlgorithm?: 'sha1' | 'sha256' }>(
  body: Uint8Array | string,
  headers: { signature: string; timestamp: string },
  keys: Key[]
) {
  const outcome = check(headers)
  return outcome.outcome === 'refused' ? outcome : verifySignature(Buffer.from(body), outcome, keys)
}

const key = { apiSecret: 'someApiSecret' }

t.test('verifies small and large bodies alike, with each of the keys', async (t) => {
  const second = { apiSecret: 'anotherApiSecret' }
  for (const size of [0, 1, 16 * 1024, 16 * 1024 + 1, 100_000]) {
    const body = Buffer.alloc(size, 'body')
    const headers = signed(body, second)
    t.strictSame(verify(body, headers, [key, second]), { outcome: 'verified', key: second }, `${size} bytes`)
    t.match(verify(body, headers, [key]), { code: 'SIGNATURE_INVALID' })
    t.match(verify(Buffer.concat([body, Buffer.from('x')]), headers, [second]), { code: 'SIGNATURE_INVALID' })
  }
})

// https://github.com/cloudinary/cloudinary_java: NotificationRequestSignatureVerifierTest
t.test("verifies the test vectors of Cloudinary's Java SDK", async (t) => {
  const vectors: [WellFormed['algorithm'], string][] = [
    ['sha1', 'f9aa4471d2a88ff244424cca2444edf7d7ac3596'],
    ['sha256', 'd5497e1a206ad0ba29ad09a7c0c5f22e939682d15009c15ab3199f62fefbd14b']
  ]
  for (const [algorithm, digest] of vectors) {
    const headers: WellFormed = {
      outcome: 'well-formed',
      algorithm,
      digest: Buffer.from(digest, 'hex'),
      timestamp: '0'
    }
    t.strictSame(verifySignature(Buffer.from('{}'), headers, [key]), { outcome: 'verified', key }, algorithm)
    t.match(verifySignature(Buffer.from('{ }'), headers, [key]), { outcome: 'refused' }, algorithm)
    t.match(verifySignature(Buffer.from('{}'), headers, [{ apiSecret: 'other' }]), { outcome: 'refused' })
  }
})

t.test('detects the algorithm of well-formed headers', async (t) => {
  const timestamp = String(NOW)
  t.strictSame(check({ signature: 'ab'.repeat(20), timestamp }), {
    outcome: 'well-formed',
    algorithm: 'sha1',
    digest: Buffer.alloc(20, 0xab),
    timestamp
  })
  t.strictSame(check({ signature: 'ab'.repeat(32), timestamp }), {
    outcome: 'well-formed',
    algorithm: 'sha256',
    digest: Buffer.alloc(32, 0xab),
    timestamp
  })
})

t.test('verifies a signature in upper case', async (t) => {
  const { signature, timestamp } = signed('{}', key)
  t.strictSame(verify('{}', { signature: signature.toUpperCase(), timestamp }, [key]), {
    outcome: 'verified',
    key
  })
})

t.test('refuses a missing signature with SIGNATURE_MISSING', async (t) => {
  for (const signature of [undefined, '']) {
    t.match(check({ ...(signature !== undefined && { signature }), timestamp: String(NOW) }), {
      outcome: 'refused',
      code: 'SIGNATURE_MISSING',
      reason: 'the X-Cld-Signature header is missing'
    })
  }
})

t.test('refuses a v2 signature only, and says what to set', async (t) => {
  t.match(check({ signatureV2: 'anything', timestamp: String(NOW) }), {
    outcome: 'refused',
    code: 'SIGNATURE_MISSING',
    reason: /X-Cld-Signature_v2.*auth_scheme.*"default".*"legacy_hmac"/
  })
})

t.test('ignores an additional v2 signature', async (t) => {
  t.match(check({ ...signed('{}', key), signatureV2: 'anything' }), { outcome: 'well-formed' })
})

t.test('refuses a timestamp that is not ten digits with SIGNATURE_MISSING', async (t) => {
  const { signature } = signed('{}', key)
  const garbage = [
    undefined,
    '',
    '0',
    '178031520',
    '17803152000',
    '1780315200.0',
    '+178031520',
    '-178031520',
    '0x6a1d7540',
    '1780315e03',
    ' 1780315200',
    '1780315200\n',
    '１７８０３１５２００',
    'now'
  ]
  for (const timestamp of garbage) {
    t.match(
      check({ signature, ...(timestamp !== undefined && { timestamp }) }),
      { outcome: 'refused', code: 'SIGNATURE_MISSING', reason: /X-Cld-Timestamp/ },
      String(timestamp)
    )
  }
})

t.test('refuses a signature that is not 40 or 64 hexadecimal digits with SIGNATURE_INVALID', async (t) => {
  const garbage = [
    'a',
    'a'.repeat(39),
    'a'.repeat(41),
    'a'.repeat(63),
    'a'.repeat(65),
    `${'a'.repeat(39)}g`,
    `${'a'.repeat(40)}\n`,
    ` ${'a'.repeat(39)}`,
    `${'a'.repeat(40)}, ${'b'.repeat(22)}`,
    'é'.repeat(40)
  ]
  for (const signature of garbage) {
    t.match(
      check({ signature, timestamp: String(NOW) }),
      { outcome: 'refused', code: 'SIGNATURE_INVALID', reason: /40 or 64/ },
      signature
    )
  }
})

t.test('refuses a notification older than the tolerance', async (t) => {
  const headers = signed('{}', key)
  t.match(check(headers, { seconds: NOW + TOLERANCE_SECONDS }), { outcome: 'well-formed' })
  t.match(check(headers, { seconds: NOW + TOLERANCE_SECONDS + 0.001 }), {
    outcome: 'refused',
    code: 'SIGNATURE_EXPIRED',
    reason: 'the timestamp is 7200 s old'
  })
})

t.test('accepts a notification up to 300 seconds ahead', async (t) => {
  const headers = signed('{}', key)
  t.match(check(headers, { seconds: NOW - 300 }), { outcome: 'well-formed' })
  t.match(check(headers, { seconds: NOW - 300.001 }), {
    outcome: 'refused',
    code: 'SIGNATURE_EXPIRED',
    reason: 'the timestamp is 300 s ahead of this clock'
  })
})

t.test('limits the time ahead to the tolerance', async (t) => {
  const headers = signed('{}', key)
  t.match(check(headers, { toleranceSeconds: 10, seconds: NOW - 10 }), { outcome: 'well-formed' })
  t.match(check(headers, { toleranceSeconds: 10, seconds: NOW - 10.001 }), { code: 'SIGNATURE_EXPIRED' })
})

t.test('refuses a tampered body with SIGNATURE_INVALID', async (t) => {
  t.match(verify('{"bytes":2}', signed('{"bytes":1}', key), [key]), {
    outcome: 'refused',
    code: 'SIGNATURE_INVALID'
  })
})

t.test('refuses a tampered timestamp with SIGNATURE_INVALID', async (t) => {
  t.match(verify('{}', { ...signed('{}', key), timestamp: String(NOW - 1) }, [key]), {
    outcome: 'refused',
    code: 'SIGNATURE_INVALID'
  })
})

t.test('refuses characters moved between body and timestamp', async (t) => {
  const body = '{"notification_type":"upload"}12345'
  const { signature, timestamp } = signed(body, key)
  const text = body + timestamp
  for (let border = 1; border < text.length; border++) {
    const moved = { body: text.slice(0, border), timestamp: text.slice(border) }
    t.equal(signed(moved.body, key, moved.timestamp).signature, signature)
    t.match(
      verify(moved.body, { signature, timestamp: moved.timestamp }, [key]),
      border === body.length ? { outcome: 'verified' } : { code: 'SIGNATURE_MISSING' }
    )
  }
})

t.test('returns the key that verifies', async (t) => {
  const current = { apiSecret: 'current', name: 'current' }
  const previous = { apiSecret: 'previous', name: 'previous' }
  t.strictSame(verify('{}', signed('{}', current), [current, previous]), {
    outcome: 'verified',
    key: current
  })
  t.strictSame(verify('{}', signed('{}', previous), [current, previous]), {
    outcome: 'verified',
    key: previous
  })
  t.match(verify('{}', signed('{}', { apiSecret: 'another' }), [current, previous]), {
    code: 'SIGNATURE_INVALID'
  })
})

t.test('verifies nothing without a key', async (t) => {
  t.match(verify('{}', signed('{}', key), []), { code: 'SIGNATURE_INVALID' })
})

t.test('a SHA-256 key refuses SHA-1, and says so', async (t) => {
  const strict = { ...key, signatureAlgorithm: 'sha256' as const }
  t.match(verify('{}', signed('{}', key), [strict]), {
    outcome: 'refused',
    code: 'SIGNATURE_INVALID',
    reason: /SHA-1.*signature_algorithm=sha256/
  })
  t.match(verify('{}', signed('{}', { ...key, algorithm: 'sha256' }), [strict]), { outcome: 'verified' })
  t.match(
    verify('{}', signed('{}', { apiSecret: 'wrong', algorithm: 'sha256' }), [strict]),
    { code: 'SIGNATURE_INVALID', reason: /^((?!SHA-1).)*$/ },
    'where SHA-256 was used, the reason is another'
  )
})

t.test('a SHA-256 key does not stop the next key from verifying SHA-1', async (t) => {
  const strict = { apiSecret: 'other', signatureAlgorithm: 'sha256' as const }
  t.strictSame(verify('{}', signed('{}', key), [strict, key]), { outcome: 'verified', key })
})

t.test('a SHA-1 key and a key without algorithm accept both', async (t) => {
  for (const signatureAlgorithm of ['sha1', undefined] as const) {
    const either = { ...key, ...(signatureAlgorithm && { signatureAlgorithm }) }
    for (const algorithm of ['sha1', 'sha256'] as const) {
      t.match(verify('{}', signed('{}', { ...key, algorithm }), [either]), { outcome: 'verified' })
    }
  }
})

const anyBody = fc.uint8Array({ maxLength: 2000 })
const anySecret = fc.string({ minLength: 1, unit: anyCharacter })
const anyAlgorithm = fc.constantFrom('sha1' as const, 'sha256' as const)

t.test('verifies any signed body', async () => {
  fc.assert(
    fc.property(anyBody, anySecret, anyAlgorithm, (body, apiSecret, algorithm) => {
      const outcome = verify(body, signed(body, { apiSecret, algorithm }), [{ apiSecret }])
      return outcome.outcome === 'verified'
    })
  )
})

t.test('refuses any change of a single byte of body or signature', async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 500 }),
      anySecret,
      anyAlgorithm,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (body, apiSecret, algorithm, position, change) => {
        const { signature, timestamp } = signed(body, { apiSecret, algorithm })
        const flip = (bytes: Uint8Array) => {
          const copy = Buffer.from(bytes)
          copy[position % copy.length]! ^= change
          return copy
        }
        const changedBody = verify(flip(body), { signature, timestamp }, [{ apiSecret }])
        const changedSignature = flip(Buffer.from(signature, 'hex')).toString('hex')
        const changed = verify(body, { signature: changedSignature, timestamp }, [{ apiSecret }])
        return changedBody.outcome === 'refused' && changed.outcome === 'refused'
      }
    )
  )
})

t.test('a refusal contains no secret and no signature', async () => {
  const digits = fc.stringMatching(/^[0-9a-f]{38,66}$/)
  const distinct = fc.stringMatching(/^[A-Z0-9]{12,20}$/)
  fc.assert(
    fc.property(anyBody, distinct, digits, fc.boolean(), (body, apiSecret, signature, strict) => {
      const outcome = verify(body, { signature, timestamp: String(NOW) }, [
        { apiSecret, ...(strict && { signatureAlgorithm: 'sha256' as const }) }
      ])
      const written = JSON.stringify(outcome)
      return outcome.outcome === 'refused' && !written.includes(apiSecret) && !written.includes(signature)
    })
  )
})

t.test('never throws for any headers', async () => {
  const anyHeader = fc.option(fc.oneof(fc.string({ unit: anyCharacter }), fc.stringMatching(/^\d{9,11}$/)), {
    nil: undefined
  })
  fc.assert(
    fc.property(anyHeader, anyHeader, anyHeader, (signature, timestamp, signatureV2) => {
      const outcome = checkHeaders(
        { signature, timestamp, signatureV2 },
        { toleranceSeconds: TOLERANCE_SECONDS, clock: () => NOW * 1000 }
      )
      return outcome.outcome === 'refused'
    })
  )
})
