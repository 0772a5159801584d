import t, { type Test } from 'tap'
import { readConfig } from '../../../../app/config.ts'
import type { AssetEvent, ProcessorContext } from '../../../../app/listener.ts'
import { missingVariables } from '../../../../app/listener-config/requirements.ts'
import { type PublishOptions, publish } from '../../../../app/processors/publish/publish.ts'
import { sampleEvent } from '../../../support/events.ts'
import { QUIET } from '../../../support/operator.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

const SIGNAL = new AbortController().signal
const event = sampleEvent('upload', { publicId: 'shop/bag' })
const hat = { ...sampleEvent('upload', { publicId: 'hat' }), id: 'hat' }
const config = { ...readConfig([], {}), PUBLISH_SECRET: 'secret-of-the-site' }

/** A CDN that records its calls. */
function buildCdn() {
  const calls: { paths: readonly string[]; reference: string }[] = []
  return {
    calls,
    cdn: {
      async invalidate(paths: readonly string[], { reference }: { reference: string }) {
        calls.push({ paths, reference })
      }
    }
  }
}

/** Starts the processor, and a site with these responses. */
async function build(t: Test, options: Partial<PublishOptions> = {}, ...answers: Answer[]) {
  const site = await buildReceiver(t, ...(answers as []), 200)
  const processor = publish({ hook: site.url, windowSeconds: 0.001, ...options })
  await processor.start?.({ config, log: QUIET })
  t.teardown(() => processor.stop?.())
  const handle = async (handled: AssetEvent = event) =>
    processor.handle(handled, { signal: SIGNAL } as ProcessorContext)
  const bodies = () => site.requests.map(({ body }) => JSON.parse(body))
  return { ...site, processor, handle, bodies }
}

t.test('handles changes of assets, also its own, and requires a secret for a hook', async (t) => {
  const { name, on, ownChanges, requires, packages, when } = publish({ hook: 'https://a.example/api' })
  t.match(
    { name, ownChanges, requires },
    {
      name: 'publish',
      ownChanges: true,
      requires: [{ name: 'PUBLISH_SECRET', secret: true, example: String }]
    }
  )
  t.strictSame([packages, when], [undefined, undefined])
  for (const type of ['upload', 'rename', 'delete', 'resource_tags_changed'])
    t.ok(on.includes(type as 'upload'))
  const wanted = () => true
  const distribution = publish({ cdn: { distributionId: 'E123ABC' }, when: wanted, on: ['*'], name: 'cdn' })
  t.match(distribution, { name: 'cdn', on: ['*'], when: wanted, packages: ['@aws-sdk/client-cloudfront'] })
  t.equal(distribution.requires, undefined)
})

t.test('never repeats an invalid secret', async (t) => {
  const processor = publish({ hook: 'https://a.example/api' })
  t.match(missingVariables([processor], {}, { PUBLISH_SECRET: 'hidden!' }), [/ PUBLISH_SECRET [^!]*$/])
})

t.test('calls the hook with tags', async (t) => {
  const { handle, requests, bodies } = await build(t)
  t.equal(await handle(), 'revalidated 2 tags and 0 paths')
  t.strictSame(bodies(), [{ tags: ['cloudinary', 'cloudinary:shop/bag'], paths: [] }])
  t.match(requests, [{ headers: { authorization: 'Bearer secret-of-the-site' } }])
})

t.test('calls the hook, then the CDN, for the given paths', async (t) => {
  const { cdn, calls } = buildCdn()
  const paths = () => ['/shop', '/']
  const { handle, bodies } = await build(t, { cdn, paths, tags: () => [] })
  t.equal(await handle(), 'revalidated 0 tags and 2 paths, invalidated 2 paths')
  t.strictSame(bodies(), [{ tags: [], paths: ['/', '/shop'] }])
  t.match(calls, [{ paths: ['/', '/shop'], reference: /^[0-9a-f]{64}$/ }])
})

t.test('invalidates everything by default', async (t) => {
  const { cdn, calls } = buildCdn()
  const { handle, bodies } = await build(t, { cdn })
  await handle()
  t.match(calls, [{ paths: ['/*'] }])
  t.match(bodies(), [{ paths: [] }])
})

t.test('does nothing without paths and tags', async (t) => {
  const { cdn, calls } = buildCdn()
  const { handle, requests } = await build(t, { cdn, paths: () => [], tags: () => [] })
  t.equal(await handle(), 'skipped: nothing to refresh')
  t.strictSame([requests, calls], [[], []])
})

t.test('makes one call for the events of a moment, each done when it succeeds', async (t) => {
  const { handle, bodies } = await build(t, {}, 503)
  const failed = await Promise.allSettled([handle(), handle(hat)])
  t.match(failed, [{ reason: { code: 'PUBLISH_UNAVAILABLE' } }, { reason: { code: 'PUBLISH_UNAVAILABLE' } }])
  const notes = await Promise.all([handle(), handle(hat)])
  t.strictSame(notes, Array(2).fill('revalidated 3 tags and 0 paths with 1 more'))
  t.strictSame(bodies()[1], bodies()[0])
  t.equal(bodies().length, 2)
})

t.test('repeats an invalidation under the same reference', async (t) => {
  const { cdn, calls } = buildCdn()
  const { handle } = await build(t, { cdn })
  await handle()
  await handle()
  await handle({ ...event, run: { kind: 'replay', id: 'r1' } })
  t.equal(calls[1]?.reference, calls[0]?.reference)
  t.not(calls[2]?.reference, calls[0]?.reference)
})

t.test('fails only the event that is rejected', async (t) => {
  const { handle } = await build(t, {}, 400, 200, 400)
  t.match(await Promise.allSettled([handle(), handle(hat)]), [
    { value: /^revalidated/ },
    { reason: { code: 'PUBLISH_REJECTED' } }
  ])
  const invalid = await build(t, { paths: ({ id }) => (id === 'hat' ? ['no'] : []) })
  t.match(await Promise.allSettled([invalid.handle(), invalid.handle(hat)]), [
    { value: /^revalidated/ },
    { reason: { code: 'PUBLISH_INVALID' } }
  ])
})

t.test('fails if the CDN of its own fails', async (t) => {
  const failure = new Error('no CDN')
  const cdn = {
    invalidate() {
      throw failure
    }
  }
  const { handle } = await build(t, { cdn })
  await t.rejects(handle(), failure)
})

t.test('stops a call in progress', async (t) => {
  const { handle, processor, received } = await build(t, {}, 'hang')
  const handling = handle()
  handling.catch(() => {})
  await received(1)
  await processor.stop?.()
  await t.rejects(handling, { name: 'AbortError' })
})

t.test('uses and checks a distribution of CloudFront', async (t) => {
  const headers = { 'content-type': 'text/xml' }
  const aws = await buildReceiver(
    t,
    { status: 201, headers, body: '<Invalidation><Id>I1</Id></Invalidation>' },
    { status: 200, headers, body: '<Distribution><Status>Deployed</Status></Distribution>' }
  )
  Object.assign(process.env, {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_ENDPOINT_URL_CLOUDFRONT: aws.url
  })
  const { handle, processor, url } = await build(t, { cdn: { distributionId: 'E123ABC' } })
  t.equal(await handle(), 'revalidated 2 tags and 0 paths, invalidated 1 paths')
  t.match(await processor.check?.({ config, log: QUIET, signal: SIGNAL }), [
    { level: 'ok', message: `${new URL(url).origin} is reachable` },
    { level: 'ok', message: /E123ABC exists/ }
  ])
  t.match(aws.requests[0]?.body, '<Path>/*</Path>')
})

t.test('checks nothing for a CDN of its own', async (t) => {
  const processor = publish({ cdn: buildCdn().cdn })
  await processor.start?.({ config: readConfig([], {}), log: QUIET })
  t.strictSame(await processor.check?.({ config, log: QUIET, signal: SIGNAL }), [])
})

t.test('rejects invalid options', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => publish({ hook: 'https://a.example', ...options }), {
      code: 'LISTENER_CONFIG_INVALID',
      message
    })
  refused({ hook: undefined }, /^publish: options: set `hook`, `cdn` or both/)
  refused({ hook: 'http://a.example' }, /hook\.url: must begin with https/)
  for (const cdn of [{ distributionId: 'x' }, {}, null, { invalidate: 'now' }])
    refused({ cdn }, /cdn.*: must be \{ distributionId \} of CloudFront, or \{ invalidate \}/)
  refused({ on: [] }, /on: /)
  refused({ when: true }, /when: /)
  refused({ paths: ['/'] }, /paths: must be a function/)
  refused({ tags: 'a' }, /tags: must be a function/)
  refused({ windowSeconds: 61 }, /windowSeconds: /)
  refused({ timeoutSeconds: 0 }, /timeoutSeconds: /)
  refused({ url: 'https://a.example' }, /options: .*url/)
})
