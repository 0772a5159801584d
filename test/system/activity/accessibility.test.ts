import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import t from 'tap'
import { DESKTOP, everyPage, visit, withoutBrowser } from './browser.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Rules whose result depends on colours; all others are checked once. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

const PHONE = { width: 360, height: 740 }

t.test(
  'each page passes axe, light and dark, fits a phone, and runs no code in hostile values',
  { skip: withoutBrowser },
  async (t) => {
    const { page, origin, store, problems } = await visit(t)
    const check = async (name: string) => {
      await page.evaluate(AXE)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        const runOnly = colorScheme === 'dark' ? COLOUR_RULES : undefined
        const options = JSON.stringify({ resultTypes: ['violations'], preload: false, runOnly })
        const { violations } = await page.evaluate<AxeResults>(`axe.run(${options})`)
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
        t.strictSame(found, [], `${name}, ${colorScheme}`)
      }
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

t.test('has no animation with prefers-reduced-motion', { skip: withoutBrowser }, async (t) => {
  const { page, origin } = await visit(t)
  await page.goto(`${origin}/activity`)
  await page.waitForSelector('.live.on')
  t.equal(await page.evaluate('document.getAnimations().length'), 0)
})
