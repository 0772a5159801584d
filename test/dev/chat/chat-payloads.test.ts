import t from 'tap'
import { slackMessage } from '../../../app/processors/chat/slack-message.ts'
import { teamsMessage } from '../../../app/processors/chat/teams-message.ts'
import { shownBySlack, shownByTeams, slackProblem, teamsProblem } from '../../../dev/chat/chat-payloads.ts'

const items = [
  {
    text: 'bag <b> & co\nwas uploaded',
    details: 'demo · upload',
    thumbnail: 'https://a.example/t.jpg',
    link: 'https://a.example/?a=1&b=2'
  },
  { text: 'hat', details: 'demo' }
]
const shown = [
  { ...items[0], text: undefined, lines: ['bag <b> & co', 'was uploaded'] },
  { lines: ['hat'], details: 'demo', thumbnail: undefined, link: undefined }
]

t.test('reads the messages of chat', async (t) => {
  t.equal(slackProblem(slackMessage(items)), undefined)
  t.equal(teamsProblem(teamsMessage(items)), undefined)
  t.match(shownBySlack(slackMessage(items)), shown)
  t.match(shownByTeams(teamsMessage(items)), shown)
})

t.test('shows a context before any section, and an empty column', async (t) => {
  const context = { type: 'context', elements: [{ type: 'mrkdwn', text: 'a' }] }
  t.strictSame(shownBySlack({ text: 'a', blocks: [context] }), [])
  const card = teamsMessage([{ text: 'a', details: 'b', thumbnail: 'https://a.example/t.jpg' }])
  const [row] = card.attachments[0]!.content.body as { columns: object[] }[]
  row!.columns.shift()
  t.match(shownByTeams(card), [{ lines: [], details: '' }])
})

t.test('names the problem of an invalid message', async (t) => {
  const section = (text: unknown) => ({
    text: 'a',
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text } }]
  })
  t.match(slackProblem(undefined), /./)
  t.match(slackProblem({ text: 'a', blocks: [] }), /^blocks: /)
  t.match(slackProblem(section('')), /^blocks\.0\.text\.text: /)
  t.match(slackProblem(section('x'.repeat(3001))), /^blocks\.0\.text\.text: /)
  t.match(slackProblem({ text: 'a', blocks: [{ type: 'image' }] }), /^blocks\.0\.type: /)
  t.match(teamsProblem({ type: 'message', attachments: [] }), /^attachments: /)
  t.match(teamsProblem({ padding: 'x'.repeat(28_000) }), /^larger than/)
})
