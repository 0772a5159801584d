import t from 'tap'
import {
  HTTP_URL,
  httpHeaders,
  isEncryptedOrLocal,
  isLocal
} from '../../../../app/processors/http/http-options.ts'

const errorOf = (schema: typeof HTTP_URL | ReturnType<typeof httpHeaders>, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ message }) => message)

t.test('accepts the addresses of HTTP, without credentials', async (t) => {
  for (const url of ['https://a.example/hook?key=1', 'http://127.0.0.1:4000']) {
    t.equal(HTTP_URL.parse(url), url)
  }
  for (const url of ['a.example', 'ftp://a.example', '', 7]) t.match(errorOf(HTTP_URL, url), [String])
  for (const url of ['https://me:hidden@a.example', 'https://me@a.example']) {
    t.match(errorOf(HTTP_URL, url), [/credentials/])
  }
})

t.test('knows whether an address is encrypted or on this machine', async (t) => {
  for (const url of ['https://a.example', 'http://localhost:1', 'http://127.8.9.1', 'http://[::1]:80', '?']) {
    t.ok(isEncryptedOrLocal(url), url)
  }
  for (const url of ['http://a.example', 'http://10.0.0.1', 'http://127.0.0.1.example']) {
    t.notOk(isEncryptedOrLocal(url), url)
  }
})

t.test('knows the names of this machine', async (t) => {
  for (const url of ['https://localhost/a', 'http://127.0.0.1:1', 'http://[::1]'])
    t.ok(isLocal(new URL(url)), url)
  for (const url of ['https://a.example', 'http://localhost.example']) t.notOk(isLocal(new URL(url)), url)
})

t.test('accepts headers that the processor does not set', async (t) => {
  const headers = httpHeaders(/^x-secret$/)
  t.strictSame(headers.parse(undefined), {})
  t.strictSame(headers.parse({ Authorization: 'Bearer a' }), { Authorization: 'Bearer a' })
  for (const refused of [
    { 'a b': 'c' },
    { a: 'b\r\nc: d' },
    { 'X-Secret': 'a' },
    { Host: 'a' },
    { 'Content-Type': 'a' }
  ]) {
    t.match(errorOf(headers, refused), [/HTTP headers/])
  }
})
