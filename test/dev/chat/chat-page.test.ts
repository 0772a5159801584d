import t from 'tap'
import { chatPage } from '../../../dev/chat/chat-page.ts'

t.test('renders messages', async (t) => {
  t.match(chatPage([]), 'No message yet')
  const page = chatPage([
    {
      receivedAt: '2026-06-01T12:00:01.000Z',
      service: 'Teams',
      payload: {},
      items: [
        { lines: ['one', '<two>'], details: 'demo', thumbnail: 'https://a.example/"t.jpg' },
        { lines: ['three'], details: '', link: 'https://a.example/' }
      ]
    }
  ])
  t.match(page, 'to Teams, 12:00:01 UTC')
  t.match(page, '<p>one</p><p>&#60;two&#62;</p>')
  t.notMatch(page, '"https://a.example/"t.jpg')
  t.match(page, '<a href="https://a.example/">Open</a>')
})
