import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import t from 'tap'
import { everyPage, visit, withoutBrowser } from './browser.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Rules whose result depends on colours; all others are checked once. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

t.test('axe reports no violations on any page, light and dark', { skip: withoutBrowser }, async (t) => {
  // the policy lets no script in but our own
  const { page, origin, store } = await visit(t, { bypassCSP: true })
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
})

t.test(
  'fits every page to a phone, and runs no code in hostile values',
  { skip: withoutBrowser },
  async (t) => {
    const { page, origin, store, problems } = await visit(t, { viewport: { width: 360, height: 740 } })
    for (const [name, path] of Object.entries(await everyPage(store))) {
      await page.goto(origin + path)
      t.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360, name)
      t.equal(await page.locator('main script, main [onerror], main [onload], main img[src="x"]').count(), 0)
    }
    t.strictSame(problems, [])
  }
)

t.test('has no animation with prefers-reduced-motion', { skip: withoutBrowser }, async (t) => {
  const { page, origin } = await visit(t)
  await page.goto(`${origin}/activity`)
  await page.waitForSelector('.live.on')
  t.equal(await page.evaluate('document.getAnimations().length'), 0)
})
