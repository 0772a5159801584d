import { html } from '../../app/activity/pages/html.ts'
import type { ReceivedMessage } from './chat-payloads.ts'

const STYLE = `
body { margin: 0 auto; max-width: 46rem; padding: 1rem; font: 15px/1.46 system-ui, sans-serif; color: #1d1c1d }
h1 { font-size: 1.2rem } .empty, small, .details { color: #616061 } .details { font-size: 12px }
article { display: flex; gap: .6rem; padding: .6rem 0; border-top: 1px solid #ddd }
.avatar { flex: none; width: 36px; height: 36px; border-radius: 4px; background: #3448c5; color: #fff;
  font-weight: 700; display: grid; place-items: center }
.item { display: flex; justify-content: space-between; gap: 1rem; margin: .2rem 0 .6rem }
.body { flex: 1 } p { margin: 0; overflow-wrap: anywhere }
.thumbnail { width: 75px; height: 75px; object-fit: cover; border-radius: 4px; background: #eee }
`

/** Returns a page that shows messages as a chat does, the newest first. Reloads every 3 s. */
export function chatPage(messages: readonly ReceivedMessage[]): string {
  const page = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="3">
<meta name="viewport" content="width=device-width">
<title>Messages of chat</title>
<style>${STYLE}</style>
<h1># cloudinary</h1>
<p><small>What the processor <code>chat</code> posted to this stand-in.
  As JSON: <a href="chat/messages">chat/messages</a>. Reloads every 3 s.</small></p>
${messages.length === 0 ? html`<p class="empty">No message yet.</p>` : ''}
${messages.toReversed().map(messageView)}
</html>
`
  return String(page)
}

const messageView = ({ receivedAt, service, items }: ReceivedMessage) => html`<article>
  <div class="avatar" aria-hidden="true">C</div>
  <div class="body">
    <p><b>Cloudinary listener</b> <small>to ${service}, ${receivedAt.slice(11, 19)} UTC</small></p>
    ${items.map(itemView)}
  </div>
</article>`

const itemView = ({
  lines,
  details,
  thumbnail,
  link
}: ReceivedMessage['items'][number]) => html`<div class="item">
      <div>
        ${lines.map((line) => html`<p>${line}</p>`)}
        <p class="details">${details}${link ? html` · <a href="${link}">Open</a>` : ''}</p>
      </div>
      ${thumbnail ? html`<img class="thumbnail" src="${thumbnail}" alt="${details}">` : ''}
    </div>`
