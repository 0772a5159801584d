import t from 'tap'
import { startAxe } from './axe.ts'
import { DESKTOP, everyPage, visit } from './browser.ts'

const PHONE = { width: 360, height: 740 }

t.test(
  'each page passes axe, light and dark, fits a phone, and runs no code in hostile values',
  async (t) => {
    const { page, origin, store, problems } = await visit(t)
    const examiner = await page.context().newPage()
    t.teardown(() => examiner.close())
    const examine = await startAxe(examiner, `${origin}/activity?prefix=nothing-like-it`)
    const check = async (name: string) => {
      const html = await page.content()
      t.strictSame(await examine(html), { light: [], dark: [] }, name)
      await page.setViewportSize(PHONE)
      t.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= PHONE.width, name)
      t.equal(await page.locator('main script, main [onerror], main [onload], main img[src="x"]').count(), 0)
      await page.setViewportSize(DESKTOP)
    }
    for (const [name, path] of Object.entries(await everyPage(store))) {
      await page.goto(origin + path)
      await check(name)
    }
    await page.goto(`${origin}/activity/replays/new?status=dead`)
    await page.getByRole('button', { name: 'Start the replay' }).click()
    await page.waitForSelector('#progress')
    await check('replay')
    await page.goto(`${origin}/activity?status=dead`)
    await page.keyboard.press('?')
    await check('keys')
    t.strictSame(problems, [])
  }
)

t.test('has no animation with prefers-reduced-motion', async (t) => {
  const { page, origin } = await visit(t)
  await page.goto(`${origin}/activity`)
  await page.waitForSelector('.live.on')
  t.equal(await page.evaluate('document.getAnimations().length'), 0)
})
