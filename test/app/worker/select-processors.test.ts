import t from 'tap'
import type { Processor } from '../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { evaluateWhen, selectProcessors } from '../../../app/worker/select-processors.ts'
import { sampleEvent } from '../../support/events.ts'

const processor = (name: string, given: Partial<Processor> = {}): Processor => ({
  name,
  on: ['*'],
  handle: () => undefined,
  ...given
})

const own = { apiKey: LOCAL_CLOUDINARY.apiKey }
const upload = sampleEvent('upload')

/** The names of the selected processors, or the reason why there are none. */
function selected(...given: Parameters<typeof selectProcessors>): readonly string[] | string {
  const selection = selectProcessors(...given)
  return selection.outcome === 'selected' ? selection.processors.map(({ name }) => name) : selection.reason
}

t.test('selects the processors that are on the type or on all types, in order', async (t) => {
  const processors = [
    processor('all'),
    processor('uploads', { on: ['upload'] }),
    processor('renames', { on: ['rename', 'move'] }),
    processor('both', { on: ['rename', 'upload'] })
  ]
  t.strictSame(selected(upload, processors), ['all', 'uploads', 'both'])
  t.strictSame(selected(sampleEvent('move'), processors), ['all', 'renames'])
  t.strictSame(selected(sampleEvent('unknown'), processors), ['all'], 'an unknown type')
})

t.test('ignores an event that no processor is on', async (t) => {
  t.equal(selected(upload, []), 'no processor handles upload')
  t.equal(
    selected(sampleEvent('unknown'), [processor('a', { on: ['upload'] })]),
    'no processor handles unknown'
  )
})

t.test('selects no processor for a canary', async (t) => {
  const canary = { ...sampleEvent('unknown'), notificationType: 'listener_canary' }
  t.equal(selected(canary, [processor('all', { ownChanges: true })]), 'canary')
})

t.test('selects only processors that ask for own changes for an own change', async (t) => {
  const event = sampleEvent('resource_tags_changed', own)
  const asking = processor('asking', { ownChanges: true })
  t.strictSame(selected(event, [processor('plain'), asking, processor('no', { ownChanges: false })]), [
    'asking'
  ])
  t.equal(selected(event, [processor('plain')]), "a change made with the listener's own key")
  t.strictSame(selected(upload, [processor('plain'), asking]), ['plain', 'asking'], 'a change by another key')
})

t.test('selects a processor for own changes only of its types', async (t) => {
  const renames = processor('renames', { on: ['rename'], ownChanges: true })
  t.equal(selected(sampleEvent('upload', own), [renames]), 'no processor handles upload')
  t.equal(
    selected(sampleEvent('upload', own), [renames, processor('plain')]),
    "a change made with the listener's own key"
  )
})

t.test('selects all processors for eager results', async (t) => {
  const event = sampleEvent('eager', own)
  t.ok(event.origin.own)
  t.strictSame(selected(event, [processor('plain')]), ['plain'])
})

t.test('selects only processors whose `when` is true', async (t) => {
  const never = processor('never', { when: () => false })
  const always = processor('always', { when: (event) => event === upload })
  t.strictSame(selected(upload, [never, always]), ['always'])
  t.equal(selected(upload, [never]), 'every `when` returned false')
})

t.test('selects a processor whose `when` fails, so that its run fails', async (t) => {
  const when = () => {
    throw new Error('broken')
  }
  t.throws(() => evaluateWhen(processor('broken', { when }), upload), { message: 'broken' })
  t.strictSame(selected(upload, [processor('broken', { when })]), ['broken'])
})

t.test('rejects a `when` that does not return a boolean', async (t) => {
  const rejected = Promise.reject(new Error('unhandled'))
  for (const returned of [undefined, 'yes', rejected, Promise.resolve(false)]) {
    const odd = processor('odd', { when: (() => returned) as unknown as NonNullable<Processor['when']> })
    t.throws(() => evaluateWhen(odd, upload), { name: 'PermanentError', code: 'WHEN_INVALID' })
    t.strictSame(selected(upload, [odd]), ['odd'])
  }
})
