import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { SILENT } from '../../../app/logger.ts'
import { createTracing, withTracing } from '../../../app/tracing/create-tracing.ts'
import type { TracingConfig } from '../../../app/tracing/tracing.ts'
import { startCollector } from '../../support/collector.ts'
import { sampleEvent } from '../../support/events.ts'

const event = sampleEvent('upload')

t.test('sends to the endpoint of traces, else below the general one', async (t) => {
  const collector = await startCollector()
  t.teardown(() => collector.stop())
  const { url } = collector
  const general = { OTEL_EXPORTER_OTLP_ENDPOINT: url }
  for (const config of [
    general,
    { OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/otlp/` },
    { ...general, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/traces-only` }
  ]) {
    const tracing = await createTracing('web', config, SILENT)
    await tracing?.send([event], async () => {})
    await tracing?.stop()
  }
  t.strictSame(
    collector.requests.map(({ path }) => path),
    ['/v1/traces', '/otlp/v1/traces', '/traces-only']
  )
})

t.test('a command sends its spans before it ends, also when it fails', async (t) => {
  const collector = await startCollector()
  t.teardown(() => collector.stop())
  const config = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
  const send = (result: () => number) =>
    withTracing('replay', config, async (tracing) => {
      await tracing?.send([event], async () => {})
      return result()
    })
  t.equal(await send(() => 3), 3)
  t.equal(collector.spans.length, 1)
  const fail = () => {
    throw new Error('no')
  }
  await t.rejects(send(fail), { message: 'no' })
  t.equal(collector.spans.length, 2)
  t.equal(await withTracing('replay', {}, async (tracing) => tracing), undefined)
})

/** Returns the modules of OpenTelemetry that roles and commands load in a thread of their own. */
async function loadedWith(config: TracingConfig): Promise<string[]> {
  const root = new URL('../../../app/', import.meta.url).href
  const worker = new Worker(
    `const { registerHooks } = require('node:module')
     const { parentPort, workerData: { root, config } } = require('node:worker_threads')
     const found = new Set()
     registerHooks({
       resolve (specifier, context, next) {
         if (specifier.startsWith('@opentelemetry/')) found.add(specifier)
         return next(specifier, context)
       }
     })
     const load = (path) => import(root + path)
     const run = async () => {
       await Promise.all(['web', 'worker', 'poll', 'activity'].map((role) => load('roles/' + role + '.ts')))
       await Promise.all(['replay', 'redrive/redrive', 'reconcile/reconcile'].map((name) => load('commands/' + name + '.ts')))
       const { createTracing } = await load('tracing/create-tracing.ts')
       const tracing = await createTracing('web', config, {})
       await tracing?.stop()
       parentPort.postMessage([...found])
     }
     run()`,
    { eval: true, workerData: { root, config } }
  )
  const [found] = await once(worker, 'message')
  await worker.terminate()
  return found
}

t.test('without an endpoint, nothing of OpenTelemetry is loaded', async (t) => {
  t.strictSame(await loadedWith({ OTEL_TRACES_SAMPLER: 'always_on' }), [])
  t.ok((await loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })).length > 3)
})
