import t from 'tap'
import { teamsMessage } from '../../../../app/processors/chat/teams-message.ts'
import { teamsProblem } from '../../../../dev/chat/chat-payloads.ts'

const item = { text: 'bag **was** uploaded\n\nby a colleague', details: 'demo · upload' }

const linesOf = (message: unknown) =>
  JSON.stringify(message)
    .match(/"text":"[^"]*"/g)
    ?.map((part) => part.slice(8, -1))

t.test('shows text, thumbnail, details and link', async (t) => {
  const message = teamsMessage([
    { ...item, thumbnail: 'https://a.example/t.jpg', link: 'https://a.example/' }
  ])
  t.equal(teamsProblem(message), undefined)
  t.strictSame(linesOf(message), ['bag **was** uploaded', 'by a colleague', 'demo · upload'])
  t.match(message.attachments[0]?.content.body, [
    {
      type: 'ColumnSet',
      separator: false,
      columns: [
        { items: [{}, {}, {}, { actions: [{ type: 'Action.OpenUrl', url: 'https://a.example/' }] }] },
        { items: [{ type: 'Image', url: 'https://a.example/t.jpg', altText: 'demo · upload' }] }
      ]
    }
  ])
  t.notMatch(JSON.stringify(message), '"TextBlock"', 'does not read Markdown in the name of an asset')
})

t.test('shows several events in one card', async (t) => {
  const { attachments } = teamsMessage([item, item])
  t.match(attachments, [{ content: { body: [{ separator: false }, { separator: true }] } }])
  t.notMatch(JSON.stringify(attachments), /"Image"|"ActionSet"/)
})
