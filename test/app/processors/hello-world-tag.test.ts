import t from 'tap'
import type { IdentifiedAsset } from '../../../app/cloudinary/identified-asset.ts'
import type { AssetEvent, CloudinaryClient, ProcessorContext } from '../../../app/listener.ts'
import { helloWorldTag } from '../../../app/processors/hello-world-tag.ts'
import { sampleEvent } from '../../support/events.ts'

/** Runs the processor, and returns its note and calls. */
async function run(event: AssetEvent, options?: Parameters<typeof helloWorldTag>[0], failure?: Error) {
  const calls: unknown[][] = []
  const cloudinary: Pick<CloudinaryClient, 'addTag' | 'identify'> = {
    identify: async (asset) => asset as IdentifiedAsset,
    addTag: async (...given) => {
      calls.push(given)
      if (failure) throw failure
    }
  }
  const note = await helloWorldTag(options).handle(event, { cloudinary } as ProcessorContext)
  return { note, calls }
}

t.test('handles uploads under its name', async (t) => {
  const { name, on, when, ownChanges } = helloWorldTag()
  t.strictSame(
    { name, on, when, ownChanges },
    {
      name: 'hello-world-tag',
      on: ['upload'],
      when: undefined,
      ownChanges: undefined
    }
  )
  t.equal(helloWorldTag({ name: 'second' }).name, 'second')
})

t.test('tags an upload', async (t) => {
  for (const resourceType of ['image', 'video', 'raw'] as const) {
    const event = sampleEvent('upload', { resourceType })
    t.strictSame(await run(event), {
      note: 'tagged "Hello World!"',
      calls: [[event.asset, 'Hello World!']]
    })
  }
})

t.test('adds the given tag and keeps others', async (t) => {
  const event = sampleEvent('upload', { variant: 'metadata' })
  t.strictSame(event.payload.tags, ['bags', 'autumn'])
  t.strictSame(await run(event, { tag: 'seen' }), { note: 'tagged "seen"', calls: [[event.asset, 'seen']] })
})

t.test('skips an upload that has the tag', async (t) => {
  t.strictSame(await run(sampleEvent('upload', { variant: 'metadata' }), { tag: 'autumn' }), {
    note: 'skipped: already tagged "autumn"',
    calls: []
  })
})

t.test('ignores tags that are not a list', async (t) => {
  const event = sampleEvent('upload')
  for (const tags of [undefined, null, 'Hello World!', { 0: 'Hello World!' }]) {
    t.equal((await run({ ...event, payload: { ...event.payload, tags } })).calls.length, 1)
  }
})

t.test('skips an event without an asset', async (t) => {
  t.strictSame(await run({ ...sampleEvent('upload'), asset: null }), {
    note: 'skipped: the notification names no asset',
    calls: []
  })
})

t.test('fails if the call fails', async (t) => {
  const failure = new Error('refused')
  await t.rejects(run(sampleEvent('upload'), {}, failure), failure)
})

t.test('rejects invalid options', async (t) => {
  const refused = { code: 'LISTENER_CONFIG_INVALID', message: /^helloWorldTag: tag: / }
  t.throws(() => helloWorldTag({ tag: '' }), refused)
  t.throws(() => helloWorldTag({ tag: 'x'.repeat(1001) }), refused)
  t.throws(() => helloWorldTag({ tag: 'one,two' }), refused)
  t.throws(() => helloWorldTag({ tags: ['a'] } as object), { code: 'LISTENER_CONFIG_INVALID' })
  t.equal(helloWorldTag({ tag: 'x'.repeat(1000) }).name, 'hello-world-tag')
})
