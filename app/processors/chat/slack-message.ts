import type { IncomingWebhookSendArguments } from '@slack/webhook'
import { type ChatItem, cut } from './chat-message.ts'

type Block = NonNullable<IncomingWebhookSendArguments['blocks']>[number]

/** Maximum length of the text in a section, in characters. */
const MAX_SECTION = 3000

/** Maximum length of the text of a notification, in characters. */
const MAX_FALLBACK = 300

/**
 * Builds a message in Block Kit. The thumbnail is the accessory of a section, beside the text. Slack may
 * reject a message with a picture that it cannot load: `invalid_blocks`
 * (https://github.com/slackapi/java-slack-sdk/issues/1396).
 *
 * Source: https://docs.slack.dev/reference/block-kit/blocks/section-block
 */
export function slackMessage(items: readonly ChatItem[]): IncomingWebhookSendArguments {
  const [first, ...others] = items.map(({ text }) => text.split('\n', 1)[0]!)
  const summary = others.length > 0 ? `${first} (and ${others.length} more)` : first!
  return {
    // shown in notifications
    text: escaped(summary, MAX_FALLBACK),
    blocks: items.flatMap(blocksOf),
    unfurl_links: false,
    unfurl_media: false
  }
}

function blocksOf({ text, details, thumbnail, link }: ChatItem): Block[] {
  const footer = [escaped(details, MAX_SECTION), ...(link ? [`<${escapedUrl(link)}|Open>`] : [])].join(' · ')
  return [
    {
      type: 'section',
      text: mrkdwn(escaped(text, MAX_SECTION)),
      ...(thumbnail && {
        accessory: { type: 'image', image_url: thumbnail, alt_text: cut(details, 300) }
      })
    },
    { type: 'context', elements: [mrkdwn(footer)] }
  ] as Block[]
}

/** `verbatim`: names such as `@channel` in the text of an event notify nobody. */
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true })

/**
 * Escapes the characters that begin a link or a mention, such as `<!channel>`.
 * Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
function escaped(text: string, limit: number): string {
  const whole = escapeMarks(text)
  // an entity has at most five characters
  return whole.length <= limit ? whole : escapeMarks(cut(text, Math.floor(limit / 5)))
}

const escapeMarks = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** A URL in its normal form has no `<` and `>`; a pipe would end it. */
const escapedUrl = (url: string): string => url.replaceAll('|', '%7C').replaceAll('&', '&amp;')
