import { pino } from 'pino'
import t, { type Test } from 'tap'
import { PermanentError } from '../../../../app/errors.ts'
import type { AssetEvent, Cms, EntryOutcome, ProcessorContext } from '../../../../app/listener.ts'
import {
  type CmsWriteBackOptions,
  cmsWriteBack
} from '../../../../app/processors/cms-write-back/cms-write-back.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { sampleEvent } from '../../../support/events.ts'
import { QUIET } from '../../../support/operator.ts'
import { picked } from './fixtures.ts'

/** A CMS of one's own, in memory. */
class MemoryCms implements Cms<{ id: string }> {
  readonly name = 'memory'
  readonly entries = new Map<string, unknown>()
  readonly outcomes: EntryOutcome[] = []
  readonly find: Cms['find'] = async (change) =>
    [...this.entries].filter(([, content]) => change.isIn(content)).map(([id]) => ({ id }))
  readonly update: Cms['update'] = async ({ id }, change) => {
    this.entries.set(id, change.applyTo(this.entries.get(id)))
    return this.outcomes.shift() ?? 'updated'
  }
}

/** A processor, and a CMS with entries that hold the image `bag`. */
async function build(
  t: Test,
  options: Partial<CmsWriteBackOptions> = {},
  ids = ['a'],
  time?: { now: number }
) {
  const { cloudinary, clients } = await buildCloudinary(t)
  const asset = cloudinary.assets.find('bag')!
  const cms = new MemoryCms()
  for (const id of ids) cms.entries.set(id, [picked('bag')])
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) })
  const { signal } = new AbortController()
  const context = { cloudinary: clients.for('demo', signal), log, signal, state: memoryState().state }
  const processor = cmsWriteBack({ cms, ...options }, ...(time ? [() => time.now] : []))
  return {
    cloudinary,
    cms,
    lines,
    about: { publicId: 'bag', assetId: asset.assetId },
    handle: async (event: AssetEvent) => processor.handle(event, context as unknown as ProcessorContext)
  }
}

t.test('handles changes, also own ones', async (t) => {
  const cms = new MemoryCms()
  const { start, stop, check, requires, packages, handle, ...processor } = cmsWriteBack({ cms })
  t.strictSame(processor, {
    name: 'cms-write-back',
    on: [
      'rename',
      'move',
      'resource_tags_changed',
      'resource_display_name_changed',
      'delete',
      'delete_by_token'
    ],
    ownChanges: true
  })
  t.strictSame([start, check, requires, packages], [undefined, undefined, undefined, undefined])
  t.strictSame(cmsWriteBack({ cms, name: 'b', on: ['upload'] }).on, ['upload'])
})

t.test('passes on what the CMS needs', async (t) => {
  const seen: unknown[] = []
  const cms: Cms = {
    ...new MemoryCms(),
    name: 'mine',
    requires: ['CMS_TOKEN'],
    packages: ['pino'],
    start: (context) => void seen.push(context),
    check: async () => [{ level: 'ok', message: 'here' }]
  }
  const processor = cmsWriteBack({ cms })
  t.match(processor, { requires: ['CMS_TOKEN'], packages: ['pino'] })
  const context = { config: {} as never, log: QUIET }
  await processor.start?.(context)
  t.strictSame(seen, [context])
  t.strictSame(await processor.check?.({ ...context, signal: new AbortController().signal }), [
    { level: 'ok', message: 'here' }
  ])
})

t.test('updates entries to the state in Cloudinary', async (t) => {
  const { handle, cms, about, cloudinary } = await build(t)
  t.equal(await handle(sampleEvent('resource_tags_changed', about)), 'memory: updated a')
  t.strictSame(cms.entries.get('a'), [picked('bag', { tags: ['leather'] })])
  t.strictSame(
    cloudinary.calls.map(({ action }) => action),
    ['explicit']
  )
})

t.test('notes the outcome of each entry', async (t) => {
  const { handle, cms, about } = await build(t, {}, ['a', 'b', 'c', 'd', 'e'])
  cms.outcomes.push('published', 'not published', 'unchanged', 'published', 'updated')
  t.equal(
    await handle(sampleEvent('move', about)),
    'memory: published a, d; updated e; updated, but the CMS refused to publish b; unchanged c'
  )
  cms.entries.clear()
  t.equal(await handle(sampleEvent('move', about)), 'memory: no entry to change')
})

t.test('updates the other entries if the CMS refuses one, and then fails', async (t) => {
  const { handle, cms, about } = await build(t, {}, ['a', 'b', 'c'])
  const refuse = (id: string, error: Error) => {
    const { update } = cms
    Object.assign(cms, {
      update: async (...given: Parameters<Cms['update']>) => {
        if (given[0].id === id) throw error
        return update(...given)
      }
    })
  }
  refuse('a', new PermanentError('field is gone', { code: 'CMS_REJECTED' }))
  await t.rejects(handle(sampleEvent('resource_tags_changed', about)), { code: 'CMS_REJECTED' })
  const updated = [picked('bag', { tags: ['leather'] })]
  t.strictSame([...cms.entries.values()], [[picked('bag')], updated, updated])
  refuse('a', new Error('CMS is down'))
  await t.rejects(handle(sampleEvent('resource_tags_changed', about)), { message: 'CMS is down' })
})

t.test('leaves entries to the next attempt before the time is up', async (t) => {
  const time = { now: 0 }
  const { handle, cms, about } = await build(t, {}, ['a', 'b', 'c', 'd', 'e'], time)
  const { find, update } = cms
  Object.assign(cms, {
    // only those that are not up to date, as `contentful` does
    find: async (...given: Parameters<Cms['find']>) =>
      (await find(...given)).filter(
        ({ id }) => given[0].applyTo(cms.entries.get(id)) !== cms.entries.get(id)
      ),
    update: async (...given: Parameters<Cms['update']>) => {
      time.now += 200_000
      return update(...given)
    }
  })
  const event = sampleEvent('resource_tags_changed', about)
  const left = (message: RegExp) =>
    t.rejects(handle(event), { name: 'ListenerError', code: 'CMS_ENTRIES_LEFT', message })
  await left(/^memory: 2 of 5 entries are done/)
  await left(/^memory: 2 of 3 entries are done/)
  t.equal(await handle(event), 'memory: updated e')
  t.equal(await handle(event), 'memory: no entry to change')
})

t.test('gives up if the CMS refuses every entry until the time is up', async (t) => {
  const time = { now: 0 }
  const { handle, cms, about } = await build(t, {}, ['a', 'b', 'c'], time)
  Object.assign(cms, {
    update: async () => {
      time.now += 250_000
      throw new PermanentError('field is gone', { code: 'CMS_REJECTED' })
    }
  })
  await t.rejects(handle(sampleEvent('resource_tags_changed', about)), { code: 'CMS_REJECTED' })
  t.equal(time.now, 250_000)
})

t.test('reports entries with a deleted asset, at most ten by name', async (t) => {
  const ids = Array.from({ length: 12 }, (_, index) => `e${index}`)
  const { handle, cms, about, cloudinary, lines } = await build(t, {}, ids)
  cloudinary.ui().destroy('bag')
  t.equal(
    await handle(sampleEvent('delete', about)),
    'memory: deleted, but still in e0, e1, e2, e3, e4, e5, e6, e7, e8, e9 and 2 more'
  )
  t.strictSame(cms.entries.get('e0'), [picked('bag')])
  t.match(lines, [{ level: 40, code: 'DELETED_ASSET_IN_CMS', cms: 'memory', count: 12 }])
})

t.test('removes a deleted asset if asked', async (t) => {
  const { handle, cms, about, cloudinary } = await build(t, { onDelete: 'remove' })
  cloudinary.ui().destroy('bag')
  t.equal(await handle(sampleEvent('delete', about)), 'memory: removed, updated a')
  t.strictSame(cms.entries.get('a'), [])
})

t.test('skips events without a change', async (t) => {
  const { handle, about } = await build(t)
  t.match(await handle({ ...sampleEvent('move', about), asset: null }), /^skipped/)
})

t.test('rejects invalid options', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => cmsWriteBack({ cms: new MemoryCms(), ...options }), {
      code: 'LISTENER_CONFIG_INVALID',
      message
    })
  for (const cms of [undefined, null, 'contentful', {}, { name: 'a', find: () => [] }]) {
    refused({ cms }, /^cmsWriteBack: cms: must be contentful/)
  }
  refused({ on: [] }, /on: /)
  refused({ on: ['eager'] }, /on\.0: /)
  refused({ onDelete: 'ignore' }, /onDelete: /)
  refused({ url: 'x' }, /url/)
})
