import t from 'tap'
import { createScrapedMetrics } from '../../../app/metrics/scraped-metrics.ts'
import { freePort } from '../../support/system.ts'

const HOST = '127.0.0.1'

t.test('serves no metrics unless a port is set', async (t) => {
  t.equal(await createScrapedMetrics('web', { METRICS_PORT: undefined, PORT: 8080, HOST }), undefined)
})

t.test('never serves them on the port of the webhook', async (t) => {
  await t.rejects(createScrapedMetrics('web', { METRICS_PORT: 8080, PORT: 8080, HOST }), {
    code: 'CONFIG_INVALID',
    problems: [/^METRICS_PORT is 8080; /]
  })
})

t.test('serves them until they are stopped', async (t) => {
  const port = await freePort()
  const metrics = await createScrapedMetrics('web', { METRICS_PORT: port, PORT: 8080, HOST })
  metrics?.count('EventsStored', 1)
  const response = await fetch(`http://${HOST}:${port}/metrics`)
  t.match(await response.text(), 'cloudinary_listener_events_stored_total{role="web"} 1')
  await metrics?.stop()
  await t.rejects(fetch(`http://${HOST}:${port}/metrics`))
})
