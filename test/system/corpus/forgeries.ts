import { createHash } from 'node:crypto'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { signatureHeaders } from '../../../app/testing/sign.ts'
import type { HeaderLine } from '../../support/raw-http.ts'

/** A request with a forged signature or timestamp. */
export interface Forgery {
  body: string
  headers: readonly HeaderLine[]
}

/** Invalid timestamps. */
const timestamps = (unix: string): Record<string, string> => ({
  'with an exponent': '1e9',
  'with ten characters and an exponent': '17803152e2',
  'in hexadecimal': '0x68000000',
  negative: `-${unix.slice(1)}`,
  'with a sign': `+${unix}`,
  'with a leading zero': `0${unix}`,
  'of ten digits that begin with zero': '0123456789',
  'of ten zeros': '0000000000',
  'far in the future': '9999999999',
  'of three hours ago': String(Number(unix) - 3 * 3600),
  'in milliseconds': `${unix}000`,
  'with a fraction': `${unix}.0`,
  'with a newline in code': `${unix}%0a`,
  'joined to itself': `${unix}, ${unix}`,
  'that is no number': 'NaN',
  'that is a date': new Date(Number(unix) * 1000).toISOString(),
  'of 10,000 digits': '1'.repeat(10_000)
})

/** Encodes a text as UTF-8 with one character per byte, as Node.js reads it from a header. */
const asLatin1 = (text: string) => Buffer.from(text).toString('latin1')

/**
 * Returns requests that are close to an authentic one with this body and Unix time in seconds. With a wrong
 * timestamp, the signature is right for it.
 */
export function forgeries(body: string, now: number): Record<string, Forgery> {
  const unix = String(now)
  const digest = (text: string) => signatureHeaders(body, LOCAL_CLOUDINARY, text)['x-cld-signature']
  const timestampLine = (value: string): HeaderLine => ['X-Cld-Timestamp', value]
  const signatureLine = (value: string): HeaderLine => ['X-Cld-Signature', value]
  const hex = digest(unix)
  const timestamp = timestampLine(unix)
  const signature = signatureLine(hex)

  const headers: Record<string, readonly HeaderLine[]> = {
    'the signature twice': [timestamp, signature, signature],
    'a wrong signature, then the right one': [timestamp, signatureLine('0'.repeat(40)), signature],
    'the timestamp twice': [timestamp, timestamp, signature],
    'the second-generation signature alone': [timestamp, ['X-Cld-Signature_v2', hex]]
  }
  for (const [name, text] of Object.entries({
    'joined to itself': `${hex},${hex}`,
    'with a scheme': `sha1=${hex}`,
    'in quotes': `"${hex}"`,
    'with a space in it': `${hex.slice(0, 20)} ${hex.slice(20)}`,
    'cut in half': hex.slice(0, 20),
    'made longer by zeros': hex.padEnd(64, '0'),
    'of 15,000 digits': hex.repeat(375),
    'in Base64': Buffer.from(hex, 'hex').toString('base64'),
    'above ASCII': '\xe9'.repeat(40),
    'in full-width digits': asLatin1('１'.repeat(40)),
    'that is empty': '',
    'without a secret': createHash('sha1').update(`${body}${unix}`).digest('hex')
  })) {
    headers[`a signature ${name}`] = [timestamp, signatureLine(text)]
  }
  for (const [name, text] of Object.entries(timestamps(unix))) {
    headers[`a timestamp ${name}`] = [timestampLine(text), signatureLine(digest(text))]
  }
  for (const [name, zero] of Object.entries({ 'full-width': 0xff10, 'Arabic-Indic': 0x660 })) {
    const digits = String.fromCodePoint(...[...unix].map((digit) => zero + Number(digit)))
    const line = timestampLine(asLatin1(digits))
    headers[`a timestamp in ${name} digits`] = [line, signatureLine(digest(digits))]
    headers[`a timestamp in ${name} digits, signed as bytes`] = [
      line,
      signatureLine(digest(asLatin1(digits)))
    ]
  }
  return {
    ...Object.fromEntries(Object.entries(headers).map(([name, lines]) => [name, { body, headers: lines }])),
    // the digest covers body + timestamp without a separator
    'a digit moved from the timestamp into the body': {
      body: `${body}${unix.slice(0, 1)}`,
      headers: [timestampLine(unix.slice(1)), signature]
    },
    'a character moved from the body into the timestamp': {
      body: body.slice(0, -1),
      headers: [timestampLine(`${body.slice(-1)}${unix}`), signature]
    }
  }
}
