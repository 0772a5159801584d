import t from 'tap'
import { doneState, eventAt } from '../support/activity-events.ts'
import { everyPage, type Visit, visit } from './browser.ts'

t.test('shows a new upload without a reload', async (t) => {
  const { page, origin, store, problems } = await visit(t)
  await page.goto(`${origin}/activity`)
  await page.waitForSelector('.live.on')
  const before = await page.locator('.row').count()
  const arrived = performance.now()
  const event = eventAt('upload', 0, { publicId: 'fresh/upload' }, Date.now())
  store.put(event, { status: 'processing', attempts: 1 })
  const bar = page.getByRole('button', { name: '1 new' })
  await bar.waitFor()
  t.ok(performance.now() - arrived < 3000, 'soon')
  t.equal(await page.locator('.row').count(), before, 'what is being read does not move')
  await bar.click()
  const row = page.locator('.row').first()
  await row.getByText('fresh/upload uploaded').waitFor()
  t.equal(await bar.count(), 0)

  store.put(event, doneState(event, { tag: 5 }))
  await row.locator('.status.done').waitFor()
  t.equal(await page.locator(`[data-id="${event.id}"]`).count(), 1, 'a row that changes is replaced')

  await page.getByLabel('Show new events at once').check()
  store.put(eventAt('upload', 0, { publicId: 'fresh/second' }, Date.now()))
  await page.locator('.row').first().getByText('fresh/second uploaded').waitFor()
  t.strictSame(problems, [])
})

t.test('moves, opens, selects and replays with keys', async (t) => {
  const { page, origin, problems } = await visit(t)
  await page.goto(`${origin}/activity`)
  const focused = () =>
    page.evaluate<string | undefined>("document.activeElement.closest('.row')?.dataset.id")
  const idAt = (index: number) => page.locator('.row').nth(index).getAttribute('data-id')
  for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key)
  t.equal(await focused(), await idAt(1))
  await page.keyboard.press('x')
  t.equal(await page.getByRole('button', { name: 'Replay selected (1)' }).count(), 1)
  await page.keyboard.press('?')
  t.ok(await page.getByRole('dialog', { name: 'Keys' }).isVisible())
  await page.keyboard.press('Escape')
  await page.keyboard.press('/')
  await page.keyboard.type('jkr')
  t.equal(await page.getByLabel('Public id starts with').inputValue(), 'jkr', 'keys are text in a field')
  await page.keyboard.press('Escape')
  const second = await idAt(1)
  await page.keyboard.press('r')
  await page.waitForURL(`${origin}/activity/replays/new?id=${second}`)
  await page.goBack()
  await page.keyboard.press('j')
  const opened = await focused()
  await page.keyboard.press('Enter')
  await page.waitForURL(`${origin}/activity/events/${opened}`)
  t.strictSame(problems, [])
})

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript'
  t.test(`filters, paging and replays work ${how}`, async (t) => {
    const { page, origin, sent, problems } = await visit(t, { javaScriptEnabled })
    await page.goto(`${origin}/activity`)
    await page.getByRole('link', { name: 'Older →' }).click()
    await page.waitForURL(/cursor=/)
    t.equal(await page.locator('.row').count(), 50)
    await page.getByRole('link', { name: '← Newer' }).click()
    await page.waitForURL(/direction=newer/)

    await page.getByLabel('Public id starts with').fill('people/')
    await page.getByLabel('Status').selectOption('dead')
    await page.getByRole('button', { name: 'Filter', exact: true }).click()
    await page.waitForURL(/prefix=people/)
    const found = await page.locator('.row').count()
    t.ok(found > 0 && found < 50)
    t.equal(new URL(page.url()).searchParams.get('prefix'), 'people/')

    await page
      .getByRole('checkbox', { name: /^Select: / })
      .first()
      .check()
    await page.getByRole('button', { name: /^Replay selected/ }).click()
    await page.getByRole('heading', { name: 'Replay 1 event?' }).waitFor()
    await page.getByRole('button', { name: 'Start the replay' }).click()
    await page.getByRole('heading', { name: 'Replay done' }).waitFor()
    t.equal(sent.length, 1)

    await page.goto(`${origin}/activity/failures`)
    await page.getByRole('link', { name: 'Replay these…' }).last().click()
    await page.getByRole('button', { name: 'Start the replay' }).click()
    await page.getByRole('heading', { name: 'Replay done' }).waitFor()
    t.ok(sent.length > 1)
    t.strictSame(problems, [])
  })

  t.test(`dead events can be discarded ${how}`, async (t) => {
    const { page, origin, store, deadLetters, problems } = await visit(t, { javaScriptEnabled })
    const dead = await deadEvent(store)
    deadLetters.put(dead)
    await page.goto(`${origin}/activity?view=dead`)
    await page.locator(`[data-id="${dead.id}"] input[name="id"]`).check()
    await page.getByRole('button', { name: 'Discard selected…' }).click()
    await page.getByRole('heading', { name: 'Discard 1 event?' }).waitFor()
    await page.getByLabel('Reason').fill('the channel was closed')
    await page.getByRole('button', { name: 'Discard', exact: true }).click()
    await page.getByRole('heading', { name: 'Discard done' }).waitFor()
    t.strictSame(deadLetters.messages, [])
    await page.getByRole('link', { name: 'Discarded events' }).click()
    t.equal(await page.locator('.row.discarded').count(), 1)
    await page.locator('.row .words').click()
    await page.getByRole('heading', { name: /^Discarded by listener/ }).waitFor()
    await page.goto(`${origin}/activity/repairs`)
    await page.getByRole('link', { name: 'Discard done' }).click()
    await page.getByText('Reason: the channel was closed').waitFor()
    t.strictSame(problems, [])
  })
}

/** A dead event, as it is in the queue. */
async function deadEvent(store: Visit['store']) {
  const { signal } = new AbortController()
  const { events } = await store.unfinished('dead', { filter: { prefix: 'people/' }, limit: 1, signal })
  const found = await store.journal.find(events[0]!.id)
  return found!.event!
}

t.test('a command can be copied', async (t) => {
  const { page, context, origin, store } = await visit(t)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto(origin + (await everyPage(store))['failed event'])
  await page.locator('[data-copy="send-command"]').click()
  await page.getByText('Copied').waitFor()
  t.match(await page.evaluate('navigator.clipboard.readText()'), /^npm run send -- /)
})

t.test('the box stays visible if the image does not load', async (t) => {
  const { page, origin } = await visit(t)
  await page.goto(`${origin}/activity`)
  const thumb = page.locator('.thumb').first()
  await thumb.locator('img').waitFor({ state: 'hidden' })
  t.equal(await thumb.innerText(), 'IMG')
})

t.test('does not show pages without the password', async (t) => {
  const { page, origin } = await visit(t, { httpCredentials: { username: 'listener', password: 'wrong' } })
  const response = await page.goto(`${origin}/activity`)
  t.equal(response?.status(), 401)
  t.equal(await page.locator('.row').count(), 0)
})
