/**
 * HTTP and WebSocket URLs. In some (Slack, Teams, Zapier, presigned downloads) the path or query is the
 * secret.
 */
const HTTP_URL = /\b((?:https?|wss?):\/\/)([^\s"'`<>]+)/gi

/**
 * URLs of other schemes with credentials, such as `postgres://…@HOST/`. Excludes stack frames (`file:`) and
 * the placeholders in the listener's own messages.
 */
const CREDENTIALS =
  /\b(?!file:)([A-Za-z][\w+.-]{0,30}:\/\/)(?!KEY:SECRET@|USER:PASSWORD@)[^\s"'`<>]{0,1000}@/g

const AUTHORIZATION = /\b(Basic|Bearer) +(?=\S*\d)[\w+/.~=-]{16,}/gi

const WEBHOOK_SECRET = /\bwhsec_[\w+/=-]+/g

/** Secret query parameters, with or without the URL before them. */
const PARAMETER = /\b([\w-]{0,40}(?:signature|token|secret|password|credential)=)[^\s"'`<>&]+/gi

/**
 * Masks secrets in a text: everything after the origin of an HTTP URL, the credentials of other URLs,
 * authorization headers, and secrets with a known form. For errors and notes that go to the log, the journal
 * or the dead-letter queue: they may come from a processor or a library.
 */
export const maskSecrets = (text: string): string =>
  text
    .replace(HTTP_URL, (_url, scheme: string, rest: string) => `${scheme}${maskRest(rest)}`)
    .replace(CREDENTIALS, '$1…@')
    .replace(AUTHORIZATION, '$1 …')
    .replace(WEBHOOK_SECRET, 'whsec_…')
    .replace(PARAMETER, '$1…')

/** Characters after a URL that belong to the text. */
const PUNCTUATION = ').,:;]}'

/** Masks the part of a URL after its scheme. */
function maskRest(rest: string): string {
  let length = rest.length
  while (PUNCTUATION.includes(rest.charAt(length - 1))) length--
  const [authority = ''] = rest.slice(0, length).split(/[/?#\\]/, 1)
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  // a user name and a password that contains a slash
  if (/^[^[].*:(?!\d+$)/.test(host)) return '…'
  const after = rest.slice(authority.length, length)
  return `${host}${after.length > 1 ? '/…' : after}${rest.slice(length)}`
}
