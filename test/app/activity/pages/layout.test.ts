import t from 'tap'
import { html } from '../../../../app/activity/pages/html.ts'
import { page } from '../../../../app/activity/pages/layout.ts'
import { HOSTILE } from '../../../support/activity-events.ts'

t.test('the page contains the given content, and marks its section', async (t) => {
  const text = page({ title: 'Failures', section: 'failures', main: html`<h1>Here</h1>` }).toString()
  t.match(text, /^<!doctype html>\n<html lang="en">/)
  t.match(text, '<title>Failures · Listener activity</title>')
  t.match(text, '<a href="/activity/failures" aria-current="page">')
  t.match(text, '<h1>Here</h1>')
  t.equal(text.split('aria-current').length, 2)
})

t.test('the page reloads itself only without JavaScript', async (t) => {
  const text = page({ title: 'x', refreshSeconds: 2, main: '' }).toString()
  t.match(text, '<noscript><meta http-equiv="refresh" content="2"></noscript>')
  t.notMatch(page({ title: 'x', main: '' }).toString(), 'refresh')
})

t.test('the page has no inline script or style', async (t) => {
  const text = page({ title: HOSTILE, main: HOSTILE }).toString()
  t.notMatch(text, /<style|style=|<script>| on[a-z]+="/)
})
