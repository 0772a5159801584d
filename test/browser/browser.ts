import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page
} from 'playwright-core'
import root, { type Test } from 'tap'
import type { MemoryActivityStore } from '../../app/activity/memory-activity-store.ts'
import type { AssetEvent } from '../../app/ingest/event.ts'
import { startInterval } from '../../app/interval.ts'
import { buildActivity, PASSWORD } from '../support/activity.ts'
import { seededStore } from '../support/activity-events.ts'
import type { MemoryDeadLetters, MemoryRepairStore } from '../support/repairs.ts'

const CHROMIUM = '/usr/bin/chromium'

if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: apt-get install chromium`)

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  // thumbnails do not load; cheaper than to intercept their requests
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'
]

let browser: Promise<Browser> | undefined

/** One browser for all tests of the process: it takes seconds to start. */
function launched(): Promise<Browser> {
  browser ??= chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS })
  return browser
}

root.teardown(async () => (await browser)?.close())

/** A page for each set of options, shared by tests: a new one compiles everything again, for seconds. */
const pages = new Map<string, Promise<Page>>()

function sharedPage(options: BrowserContextOptions): Promise<Page> {
  const key = JSON.stringify(options)
  const shared =
    pages.get(key) ?? launched().then(async (started) => (await started.newContext(options)).newPage())
  pages.set(key, shared)
  return shared
}

export interface Visit {
  store: MemoryActivityStore
  /** Events sent by replays. */
  sent: AssetEvent[]
  repairs: MemoryRepairStore
  deadLetters: MemoryDeadLetters
  origin: string
  page: Page
  context: BrowserContext
  /** Errors of scripts, refusals of the content security policy, and dialogs, which only hostile values would open. */
  problems: string[]
}

export interface VisitOptions
  extends Pick<BrowserContextOptions, 'bypassCSP' | 'httpCredentials' | 'javaScriptEnabled'> {
  viewport?: { width: number; height: number }
  /** Origins of other pages that may read the server's feed. */
  allowedOrigins?: string[]
}

export const DESKTOP = { width: 1280, height: 900 }

/** A signed-in browser at the activity role's server, on a memory store full of events. */
export async function visit(
  t: Test,
  { allowedOrigins, viewport = DESKTOP, ...options }: VisitOptions = {}
): Promise<Visit> {
  const time = { clock: Date.now, every: startInterval }
  const { app, store, sent, repairs, deadLetters } = await buildActivity(t, {
    ...time,
    live: time,
    ...(allowedOrigins && { allowedOrigins })
  })
  seededStore(Date.now(), store)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.server.closeAllConnections())
  const page = await sharedPage({
    httpCredentials: { username: 'listener', password: PASSWORD },
    reducedMotion: 'reduce',
    javaScriptEnabled: true,
    ...options
  })
  const context = page.context()
  await page.setViewportSize(viewport)
  t.teardown(async () => {
    page.removeAllListeners()
    await context.clearPermissions()
    await page.goto('about:blank')
  })
  const problems: string[] = []
  page.on('pageerror', ({ message }) => problems.push(message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
      problems.push(message.text())
  })
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  const { port } = app.server.address() as AddressInfo
  return { store, sent, repairs, deadLetters, origin: `http://127.0.0.1:${port}`, page, context, problems }
}

/** Addresses of a page of every kind. */
export async function everyPage(store: MemoryActivityStore): Promise<Record<string, string>> {
  const signal = new AbortController().signal
  const of = async (prefix: string) => (await store.list({ filter: { prefix }, limit: 1, signal })).events[0]!
  const [dead, waiting, hostile] = await Promise.all(['people/', 'shoes/red', '<script'].map(of))
  return {
    list: '/activity',
    filtered: '/activity?view=failed&processor=notify&code=NOTIFY_REJECTED&window=24h',
    empty: '/activity?prefix=nothing-like-it',
    problem: '/activity?attempts=many',
    'failed event': `/activity/events/${dead!.id}`,
    'waiting event': `/activity/events/${waiting!.id}`,
    'hostile event': `/activity/events/${hostile!.id}`,
    asset: `/activity/assets/${encodeURIComponent(waiting!.group!)}`,
    failures: '/activity/failures',
    refused: '/activity/refused',
    'question before a replay': '/activity/replays/new?status=dead',
    'question before a discard': '/activity/discards/new?status=dead',
    'dead events': '/activity?view=dead',
    repairs: '/activity/repairs',
    'error page': '/activity/events/nope'
  }
}
