import { rawRequest } from '../../support/raw-http.ts'

/** An invalid request; the response is 4xx or a closed connection. */
export interface MalformedRequest {
  bytes: Buffer
  /** Number of responses to wait for. (Default: 1) */
  answers?: number
}

/** Start of a TLS 1.2 ClientHello, from a client that expects HTTPS on the port. */
const CLIENT_HELLO = Buffer.concat([
  Buffer.from('16030100c8010000c40303', 'hex'),
  Buffer.alloc(32, 0x5a),
  Buffer.from('20', 'hex'),
  Buffer.alloc(160, 0x13)
])

const host = ['Host', 'localhost'] as const
const text = (value: string) => ({ bytes: Buffer.from(value, 'latin1') })

/** A request hidden in another one; a response to it would be a second response. */
const HIDDEN = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'

const post = (headers: readonly (readonly [string, string])[], body = '') => ({
  bytes: rawRequest({ headers: [host, ...headers], body })
})

const get = (target: string, headers: readonly (readonly [string, string])[] = []) => ({
  bytes: rawRequest({ method: 'GET', target, headers: [host, ...headers] })
})

const method = (name: string, target?: string) => ({
  bytes: rawRequest({ method: name, ...(target && { target }), headers: [host] })
})

const manyHeaders = (count: number) =>
  Array.from({ length: count }, (_, index) => [`a${index}`, ''] as [string, string])

/** None of these is authentic. */
export const MALFORMED_REQUESTS: Record<string, MalformedRequest> = {
  // request line
  'bytes that are not HTTP': {
    bytes: Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 151) % 256))
  },
  'a TLS ClientHello': { bytes: CLIENT_HELLO },
  'the preface of HTTP/2': text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  'a request line of one word': text('POST\r\n\r\n'),
  'a request line without a version': text('POST /webhooks/cloudinary\r\n\r\n'),
  'a request line with too many words': text('POST /webhooks/cloudinary x HTTP/1.1\r\nHost: a\r\n\r\n'),
  'HTTP/0.9': text('GET /webhooks/cloudinary\r\n\r\n'),
  'HTTP/1.7': text('POST /webhooks/cloudinary HTTP/1.7\r\nHost: a\r\n\r\n'),
  'HTTP/9.9': text('POST /webhooks/cloudinary HTTP/9.9\r\nHost: a\r\n\r\n'),
  'another protocol': text('POST /webhooks/cloudinary RTSP/1.0\r\nHost: a\r\n\r\n'),
  'lines that end in LF': text('POST /webhooks/cloudinary HTTP/1.1\nHost: a\nContent-Length: 0\n\n'),
  'lines that end in CR': text('POST /webhooks/cloudinary HTTP/1.1\rHost: a\r\r'),
  'a lower-case method': method('post'),
  'an unknown method': method('SMUGGLE'),
  'a very long method': method('A'.repeat(10_000)),
  'a NUL in the target': method('POST', '/webhooks/\0cloudinary'),
  'a space in the target': method('POST', '/webhooks/ cloudinary'),
  'bytes above ASCII in the target': method('POST', '/webhooks/cloudinary\xff\xfe'),

  // targets
  'a target of 15,000 characters': get(`/${'a'.repeat(15_000)}`),
  'a target over the limit of the head': get(`/${'a'.repeat(70_000)}`),
  'a query of 5,000 keys': get(`/webhooks/cloudinary?${'a&'.repeat(5000)}`),
  'a query that names __proto__': get(
    '/nowhere?__proto__=x&__proto__[polluted]=1&constructor[prototype][polluted]=1'
  ),
  'a target that does not decode': get('/%zz%'),
  'a target that decodes to invalid UTF-8': get('/%ff%fe'),
  'an encoded NUL in the target': get('/webhooks%00/cloudinary'),
  'a target that climbs': get('/webhooks/../../../etc/passwd'),
  'a target that climbs in code': get('/webhooks/%2e%2e/%2e%2e/etc/passwd'),
  'an empty target': text('GET  HTTP/1.1\r\nHost: a\r\n\r\n'),
  'an asterisk for a target': method('GET', '*'),
  'an absolute target of another host': get('http://example.com/elsewhere'),
  'an absolute target of another scheme': get('gopher://example.com:70/1'),
  'an absolute target with credentials': get('http://user:password@[::1]:99999/'),
  'a target that is no URL': get('//////\\\\..;/?#%'),

  // methods
  TRACE: method('TRACE'),
  'CONNECT to a host': method('CONNECT', 'example.com:443'),
  'CONNECT to a path': method('CONNECT', '/webhooks/cloudinary'),
  'OPTIONS *': method('OPTIONS', '*'),
  'OPTIONS of the webhook': method('OPTIONS'),
  'PUT of the webhook': method('PUT'),
  'QUERY of the webhook': method('QUERY'),
  'PROPFIND of the webhook': method('PROPFIND'),
  'M-SEARCH of the webhook': method('M-SEARCH'),
  'GET of the webhook': method('GET'),

  // header fields
  'no Host': { bytes: rawRequest({ headers: [] }) },
  'two hosts': { bytes: rawRequest({ headers: [host, ['Host', 'example.com']] }) },
  'a host that is no host': { bytes: rawRequest({ headers: [['Host', '@@@:::///\\']] }) },
  'an empty header name': post([['', 'x']]),
  'a header name with a space': post([['X Y', 'x']]),
  'a header name with a space before the colon': text(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 0\r\n\r\n'
  ),
  'a header name above ASCII': post([['X-\xe9', 'x']]),
  'a header name with a NUL': post([['X-\0', 'x']]),
  'a header line without a colon': text('POST / HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n'),
  'a header value with a NUL': post([['X-A', 'a\0b']]),
  'a header value with a bare CR': post([['X-A', 'a\rX-Cld-Timestamp: 1']]),
  'a header value with control characters': post([['X-A', '\x01\x02\x7f']]),
  'a folded header': text('POST / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n'),
  'a header named __proto__': post([
    ['__proto__', 'x'],
    ['constructor', 'x'],
    ['toString', 'x']
  ]),
  'a header of 15,000 characters': post([['X-A', 'a'.repeat(15_000)]]),
  'a head over its limit': post([['X-A', 'a'.repeat(20_000)]]),
  'a head that goes on for 1 MB': post([['X-A', 'a'.repeat(1_000_000)]]),
  '500 headers': post(manyHeaders(500)),
  '20,000 headers': post(manyHeaders(20_000)),
  '2,000 addresses in X-Forwarded-For': post([['X-Forwarded-For', '1.1.1.1,'.repeat(1900)]]),
  'an X-Forwarded-For that is no address': post([['X-Forwarded-For', ',,\x80\xff, ;=,"']]),
  'a trace id of 15,000 characters': post([['X-Amzn-Trace-Id', '"}\\'.repeat(5000)]]),

  // lengths
  'a negative Content-Length': post([['Content-Length', '-1']]),
  'a Content-Length with a sign': post([['Content-Length', '+5']], 'hello'),
  'a Content-Length in hexadecimal': post([['Content-Length', '0x5']], 'hello'),
  'a Content-Length with a fraction': post([['Content-Length', '5.0']], 'hello'),
  'a Content-Length that overflows': post([['Content-Length', '18446744073709551621']], 'hello'),
  'an empty Content-Length': post([['Content-Length', '']]),
  'a list for a Content-Length': post([['Content-Length', '5, 5']], 'hello'),
  'two equal Content-Lengths': post(
    [
      ['Content-Length', '5'],
      ['Content-Length', '5']
    ],
    'hello'
  ),
  'two different Content-Lengths': post(
    [
      ['Content-Length', '0'],
      ['Content-Length', `${HIDDEN.length}`]
    ],
    HIDDEN
  ),

  // smuggling
  'Content-Length before chunks': post(
    [
      ['Content-Length', '5'],
      ['Transfer-Encoding', 'chunked']
    ],
    `0\r\n\r\n${HIDDEN}`
  ),
  'chunks before Content-Length': post(
    [
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', `${HIDDEN.length + 5}`]
    ],
    `0\r\n\r\n${HIDDEN}`
  ),
  'chunked that is not last': post([['Transfer-Encoding', 'chunked, identity']], `0\r\n\r\n${HIDDEN}`),
  'an unknown Transfer-Encoding': post([['Transfer-Encoding', 'xchunked']], `0\r\n\r\n${HIDDEN}`),
  'Transfer-Encoding: identity with a length': post(
    [
      ['Transfer-Encoding', 'identity'],
      ['Content-Length', '5']
    ],
    `0\r\n\r\n${HIDDEN}`
  ),
  'two Transfer-Encodings': post(
    [
      ['Transfer-Encoding', 'chunked'],
      ['Transfer-Encoding', 'identity']
    ],
    `0\r\n\r\n${HIDDEN}`
  ),
  'a Transfer-Encoding with a vertical tab': post(
    [['Transfer-Encoding', '\x0bchunked']],
    `0\r\n\r\n${HIDDEN}`
  ),
  'a request in the body of another': post([['Content-Length', `${HIDDEN.length}`]], HIDDEN),

  // chunks
  'a chunk size that is no number': post([['Transfer-Encoding', 'chunked']], 'zz\r\nhello\r\n0\r\n\r\n'),
  'a negative chunk size': post([['Transfer-Encoding', 'chunked']], '-5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size that overflows': post(
    [['Transfer-Encoding', 'chunked']],
    `${'f'.repeat(40)}\r\nhello\r\n0\r\n\r\n`
  ),
  'a chunk longer than its size': post([['Transfer-Encoding', 'chunked']], '2\r\nhello\r\n0\r\n\r\n'),
  'a chunk that ends in LF': post([['Transfer-Encoding', 'chunked']], '5\nhello\n0\n\n'),
  'a chunk extension of 100 KB': post(
    [['Transfer-Encoding', 'chunked']],
    `5;${'a'.repeat(100_000)}\r\nhello\r\n0\r\n\r\n`
  ),
  'trailers of 100 KB': post([['Transfer-Encoding', 'chunked']], `0\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`),
  'trailers with a signature': post(
    [
      ['Transfer-Encoding', 'chunked'],
      ['Trailer', 'X-Cld-Signature']
    ],
    `2\r\n{}\r\n0\r\nX-Cld-Signature: ${'0'.repeat(40)}\r\nX-Cld-Timestamp: 1234567890\r\n\r\n`
  ),

  // protocols
  'an upgrade to WebSocket': get('/webhooks/cloudinary', [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA==']
  ]),
  'an upgrade to HTTP/2': post([
    ['Connection', 'Upgrade, HTTP2-Settings'],
    ['Upgrade', 'h2c'],
    ['HTTP2-Settings', 'AAMAAABkAAQAAP__']
  ]),
  'an expectation that nobody can meet': post([
    ['Expect', 'miracles'],
    ['Content-Length', '0']
  ]),
  'Expect: 100-continue without a signature': post(
    [
      ['Expect', '100-continue'],
      ['Content-Length', '2']
    ],
    '{}'
  ),
  'a Connection header that names others': post([['Connection', 'X-Cld-Signature, close, Host']]),
  '200 requests at once on one connection': {
    bytes: Buffer.concat(Array.from({ length: 200 }, () => post([['Content-Length', '2']], '{}').bytes)),
    answers: 200
  },
  'requests and rubbish on one connection': {
    bytes: Buffer.concat([
      post([['Content-Length', '2']], '{}').bytes,
      Buffer.from('\0\0rubbish\r\n\r\n'),
      Buffer.from(HIDDEN)
    ]),
    answers: 3
  }
}
