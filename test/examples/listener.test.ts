import t from 'tap'
import { defineListener, helloWorldTag, lastUpdateTimestamp } from '../../app/listener.ts'
import { FakeCloudinary, testListener, testProcessor } from '../../app/testing.ts'

t.test('helloWorldTag tags an upload', async (t) => {
  const run = await testProcessor(helloWorldTag(), 'upload')
  t.match(run, { outcome: 'succeeded', calls: [{ name: 'add tag', args: ['Hello World!'] }] })
})

t.test('helloWorldTag skips an upload that has the tag', async (t) => {
  const run = await testProcessor(helloWorldTag(), 'upload', { body: { tags: ['Hello World!'] } })
  t.match(run, { outcome: 'succeeded', calls: [] })
  t.strictSame(run.calls, [])
})

t.test('retries while Cloudinary is down', async (t) => {
  const cloudinary = new FakeCloudinary().fail(503)
  const run = await testProcessor(helloWorldTag(), 'upload', { cloudinary })
  t.match(run, { outcome: 'failed', code: 'CLOUDINARY_UNAVAILABLE', notBefore: '2026-06-01T12:00:01.000Z' })
})

/** The processors of the original listener.config.ts. Import yours from there. */
const config = defineListener({
  processors: [
    helloWorldTag({ tag: 'Hello World!' }),
    lastUpdateTimestamp({ field: 'last_update_timestamp', watch: ['cms_id'] })
  ]
})

t.test('tags and stamps an upload', async (t) => {
  const listener = testListener(config)
  t.teardown(() => listener.stop())
  const { events, calls, deadLetters } = await listener.send('upload')
  t.match(events, [
    { status: 'done', processors: { 'hello-world-tag': { outcome: 'succeeded', attempts: 1 } } }
  ])
  t.match(calls, [
    { method: 'uploader.add_tag', args: ['Hello World!', ['samples/leather-bag']] },
    { method: 'uploader.explicit' },
    { method: 'uploader.update_metadata', args: [{ last_update_timestamp: '2026-06-01T12:00:00.000Z' }] }
  ])
  t.strictSame(deadLetters, [])
})

t.test('ignores changes of metadata that is not watched', async (t) => {
  const listener = testListener(config)
  t.teardown(() => listener.stop())
  const image = { resource_type: 'image', type: 'upload' }
  const { events } = await listener.send('resource_metadata_changed', {
    body: {
      resources: [
        { ...image, public_id: 'bag', previous_metadata: { size: 'S' }, new_metadata: { size: 'M' } },
        { ...image, public_id: 'shoe', previous_metadata: { cms_id: '1' }, new_metadata: { cms_id: '2' } }
      ]
    }
  })
  t.match(events, [
    { event: { asset: { publicId: 'bag' } }, status: 'ignored' },
    { event: { asset: { publicId: 'shoe' } }, status: 'done' }
  ])
})

t.test('handles an upload after an outage', async (t) => {
  const listener = testListener(config)
  t.teardown(() => listener.stop())
  listener.cloudinary.fail('unreachable', { times: 20 })
  t.match(await listener.send('upload'), { events: [{ status: 'retrying' }], deadLetters: [] })
  t.match(await listener.settle(), { events: [{ status: 'done' }], deadLetters: [] })
})
