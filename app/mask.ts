/**
 * URLs over HTTP. For some (Slack, Teams, Zapier, presigned downloads) the path or the query is what authorizes.
 */
const HTTP_URL = /\b((?:https?|wss?):\/\/)([^\s"'`<>]+)/gi

/**
 * URLs of other schemes with credentials, such as `postgres://…@HOST/`. A frame of a stack has none, and the placeholders
 * of our own messages hide nothing.
 */
const CREDENTIALS =
  /\b(?!file:)([A-Za-z][\w+.-]{0,30}:\/\/)(?!KEY:SECRET@|USER:PASSWORD@)[^\s"'`<>]{0,1000}@/g

const AUTHORIZATION = /\b(Basic|Bearer) +(?=\S*\d)[\w+/.~=-]{16,}/gi

const WEBHOOK_SECRET = /\bwhsec_[\w+/=-]+/g

/** Parameters of a query that authorize, also where the address before them is missing. */
const PARAMETER = /\b([\w-]{0,40}(?:signature|token|secret|password|credential)=)[^\s"'`<>&]+/gi

/**
 * Masks in a text what authorizes whoever reads it: of URLs over HTTP all but the origin, of other URLs the credentials,
 * authorizations, and secrets that can be told by their form. For errors and notes on their way into the log, the journal
 * and the dead-letter queue: they may come from a processor's code or a library, which know nothing of guarantee 9.
 */
export const maskSecrets = (text: string): string =>
  text
    .replace(HTTP_URL, (_url, scheme: string, rest: string) => `${scheme}${maskRest(rest)}`)
    .replace(CREDENTIALS, '$1…@')
    .replace(AUTHORIZATION, '$1 …')
    .replace(WEBHOOK_SECRET, 'whsec_…')
    .replace(PARAMETER, '$1…')

/** What may follow a URL in a text. */
const PUNCTUATION = ').,:;]}'

/** Of a URL, what follows its scheme. */
function maskRest(rest: string): string {
  let length = rest.length
  while (PUNCTUATION.includes(rest.charAt(length - 1))) length--
  const [authority = ''] = rest.slice(0, length).split(/[/?#\\]/, 1)
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  // a user name, and a password with a slash in it
  if (/^[^[].*:(?!\d+$)/.test(host)) return '…'
  const after = rest.slice(authority.length, length)
  return `${host}${after.length > 1 ? '/…' : after}${rest.slice(length)}`
}
