import fc from 'fast-check'
import t from 'tap'
import { cleanText } from '../../../../app/processors/chat/chat-message.ts'
import { slackMessage } from '../../../../app/processors/chat/slack-message.ts'
import { slackProblem } from '../../../../dev/chat/chat-payloads.ts'

const item = { text: 'bag was uploaded\nby a colleague', details: 'demo · upload' }

t.test('shows text, thumbnail, details and link', async (t) => {
  const message = slackMessage([
    { ...item, thumbnail: 'https://a.example/t.jpg', link: 'https://a.example/?a=1&b=|' }
  ])
  t.strictSame(message, {
    text: 'bag was uploaded',
    blocks: [
      {
        type: 'section',
        text: { type: 'mrkdwn', text: item.text, verbatim: true },
        accessory: { type: 'image', image_url: 'https://a.example/t.jpg', alt_text: 'demo · upload' }
      },
      {
        type: 'context',
        elements: [
          {
            type: 'mrkdwn',
            text: 'demo · upload · <https://a.example/?a=1&amp;b=%7C|Open>',
            verbatim: true
          }
        ]
      }
    ],
    unfurl_links: false,
    unfurl_media: false
  })
})

t.test('shows several events in one message', async (t) => {
  const { text, blocks } = slackMessage([item, { ...item, text: 'hat' }, item])
  t.equal(text, 'bag was uploaded (and 2 more)')
  t.equal(blocks?.length, 6)
  t.notMatch(JSON.stringify(blocks), 'accessory')
})

t.test('mentions nobody', async (t) => {
  const { text, blocks } = slackMessage([{ ...item, text: '<!channel> & <@U1> <https://a.example|bag>' }])
  const escaped = '&lt;!channel&gt; &amp; &lt;@U1&gt; &lt;https://a.example|bag&gt;'
  t.equal(text, escaped)
  t.match(blocks, [{ text: { text: escaped, verbatim: true } }, {}])
})

t.test('is valid for any text', async () => {
  const text = fc
    .string({ unit: 'binary', maxLength: 300 })
    .map(cleanText)
    .filter((given) => given !== '')
  const marks = fc.constantFrom('&', '<', '>').map((mark) => mark.repeat(1500))
  fc.assert(
    fc.property(fc.oneof(text, marks), (given) => {
      const problem = slackProblem(slackMessage([{ ...item, text: given }]))
      if (problem) throw new Error(problem)
    }),
    { numRuns: 30 }
  )
})
