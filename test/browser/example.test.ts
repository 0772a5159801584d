import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { TOKEN } from '../support/activity.ts'
import { eventAt } from '../support/activity-events.ts'
import { visit } from './browser.ts'

t.test('the example in docs/ lists events of another origin live', async (t) => {
  const page = readFileSync('docs/examples/activity-feed.html')
  const site = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(page))
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
  t.teardown(() => site.close())
  const address = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  const { page: tab, origin, store, problems } = await visit(t, { allowedOrigins: [address] })
  t.teardown(() => site.closeAllConnections())
  await tab.goto(`${address}/?listener=${origin}&token=${TOKEN}`)
  await tab.locator('li').nth(19).waitFor()
  const event = eventAt('upload', 0, { publicId: 'fresh/upload' }, Date.now())
  store.put(event, { status: 'processing', attempts: 1 })
  await tab.getByText('fresh/upload: processing').waitFor()
  t.match(await tab.locator('li').first().textContent(), /fresh\/upload/)
  t.strictSame(
    problems.filter((problem) => !/favicon/.test(problem)),
    []
  )
})
