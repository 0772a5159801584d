import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Rules whose result depends on colours; all others are checked once. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

/** Rows of one shape that axe checks: one shows an error of each, two show an error between them. */
const ROWS_PER_SHAPE = 2

/**
 * Replaces the document with one of this HTML, without running its scripts. Removes rows of a list that differ
 * only in texts and values.
 */
const SHOW = `async (html) => {
  const { documentElement } = new DOMParser().parseFromString(html, 'text/html')
  const shapeOf = (row) => [row, ...row.querySelectorAll('*')].map((element) => {
    const names = element.getAttributeNames().join(' ')
    const fixed = ['class', 'role', 'type'].map((name) => element.getAttribute(name)).join(' ')
    return [element.tagName, names, fixed, element.childElementCount, element.textContent.trim() === ''].join()
  }).join()
  for (const list of documentElement.querySelectorAll('.rows')) {
    for (const alike of Map.groupBy(list.children, shapeOf).values())
      for (const row of alike.slice(${ROWS_PER_SHAPE})) row.remove()
  }
  const isLoaded = [...documentElement.querySelectorAll('link[rel=stylesheet]')].map((link) =>
    new Promise((resolve, reject) => Object.assign(link, { onload: resolve, onerror: reject })))
  document.replaceChild(document.adoptNode(documentElement), document.documentElement)
  await Promise.all(isLoaded)
  for (const dialog of document.querySelectorAll('dialog[open]')) {
    dialog.removeAttribute('open')
    dialog.showModal()
  }
}`

/** Checks documents with axe. Resolves to what is wrong, per colour scheme. */
export type Examine = (html: string) => Promise<Record<'light' | 'dark', string[]>>

/**
 * Runs axe in a page of its own, which loads axe once: each page that loads it compiles it again.
 */
export async function startAxe(page: Page, address: string): Promise<Examine> {
  await page.goto(address)
  await page.evaluate(AXE)
  const run = async (colorScheme: 'light' | 'dark', runOnly?: string[]) => {
    await page.emulateMedia({ colorScheme })
    const options = JSON.stringify({ resultTypes: ['violations'], preload: false, runOnly })
    const { violations } = await page.evaluate<AxeResults>(`axe.run(${options})`)
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
  }
  return async (html) => {
    await page.evaluate(`(${SHOW})(${JSON.stringify(html)})`)
    return { light: await run('light'), dark: await run('dark', COLOUR_RULES) }
  }
}
