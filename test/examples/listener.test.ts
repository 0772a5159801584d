import t from 'tap'
import { defineListener, helloWorldTag, lastUpdateTimestamp } from '../../app/listener.ts'
import { FakeCloudinary, testListener, testProcessor } from '../../app/testing.ts'

t.test('helloWorldTag tags an upload', async (t) => {
  const run = await testProcessor(helloWorldTag(), 'upload')
  t.match(run, { outcome: 'succeeded', calls: [{ name: 'add tag', args: ['Hello World!'] }] })
})

t.test('helloWorldTag makes no call where the tag is there', async (t) => {
  const run = await testProcessor(helloWorldTag(), 'upload', { body: { tags: ['Hello World!'] } })
  t.match(run, { outcome: 'succeeded', calls: [] })
  t.strictSame(run.calls, [])
})

t.test('an outage of Cloudinary has the processor retried', async (t) => {
  const cloudinary = new FakeCloudinary().fail(503)
  const run = await testProcessor(helloWorldTag(), 'upload', { cloudinary })
  t.match(run, { outcome: 'failed', code: 'CLOUDINARY_UNAVAILABLE', notBefore: '2026-06-01T12:00:01.000Z' })
})

/** The processors of listener.config.ts as it comes: import yours from there. */
const config = defineListener({
  processors: [
    helloWorldTag({ tag: 'Hello World!' }),
    lastUpdateTimestamp({ field: 'last_update_timestamp', watch: ['cms_id'] })
  ]
})

t.test('an upload is tagged and stamped', async (t) => {
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

t.test('a change of metadata that is not watched is ignored', async (t) => {
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

t.test('an outage delays an upload, and loses nothing', async (t) => {
  const listener = testListener(config)
  t.teardown(() => listener.stop())
  listener.cloudinary.fail('unreachable', { times: 20 })
  t.match(await listener.send('upload'), { events: [{ status: 'retrying' }], deadLetters: [] })
  t.match(await listener.settle(), { events: [{ status: 'done' }], deadLetters: [] })
})
