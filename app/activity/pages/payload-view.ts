import { type Html, html } from './html.ts'

/** Maximum length of a shown payload, in characters. */
const LONGEST = 200_000

/** JSON tokens. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** Renders indented JSON with its tokens marked. */
export function payloadView(payload: unknown): Html {
  const whole = JSON.stringify(payload, null, 2)
  const text = whole.slice(0, LONGEST)
  const parts: Html[] = []
  let end = 0
  for (const match of text.matchAll(TOKEN)) {
    const [token, string, colon, word] = match
    parts.push(html`${text.slice(end, match.index)}`)
    const role =
      string === undefined ? (word === undefined ? 'num' : 'word') : colon === undefined ? 'str' : 'prop'
    parts.push(
      colon === undefined
        ? html`<span class="${role}">${token}</span>`
        : html`<span class="prop">${string}</span>${colon}`
    )
    end = match.index + token.length
  }
  parts.push(html`${text.slice(end)}`)
  return html`<pre class="payload" id="payload" tabindex="0" aria-label="Payload">${parts}${
    whole.length > LONGEST && html`\n… cut after ${LONGEST} characters; the API returns the whole payload`
  }</pre>`
}
