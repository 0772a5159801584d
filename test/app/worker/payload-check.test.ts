import { pino } from 'pino'
import t from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { PayloadCheck } from '../../../app/worker/payload-check.ts'
import { sampleEvent } from '../../support/events.ts'
import { memoryMetrics } from '../../support/metrics.ts'

const HOUR_MS = 3_600_000

function build() {
  const time = { now: 0 }
  const { metrics, counts } = memoryMetrics()
  const lines: { level: number; code: string; paths: string[] }[] = []
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) })
  const payloadCheck = new PayloadCheck({ metrics, clock: () => time.now })
  return { check: (event: AssetEvent) => payloadCheck.check(event, log), time, counts, lines }
}

/** An event whose payload has wrong values. */
const tagsAs = (added: unknown) => sampleEvent('resource_tags_changed', {}, { resources: [{ added }] })

t.test('accepts payloads that fit, and fields that are new', async (t) => {
  const { check, counts, lines } = build()
  check(sampleEvent('upload', {}, { a_new_field: { of: ['any', 'shape'] } }))
  t.strictSame([counts, lines], [{}, []])
})

t.test('counts each payload that does not fit, and logs once per type and hour', async (t) => {
  const { check, time, counts, lines } = build()
  check(tagsAs('red'))
  time.now = HOUR_MS - 1
  check(tagsAs('red'))
  t.equal(lines.length, 1)
  check(sampleEvent('upload', {}, { bytes: 'many' }))
  t.equal(lines.length, 2, 'of another type')
  time.now = HOUR_MS
  check(tagsAs('red'))
  t.equal(lines.length, 3)
  t.strictSame(counts, { 'SchemaMismatch resource_tags_changed': 3, 'SchemaMismatch upload': 1 })
  t.match(lines[0], { level: 40, code: 'SCHEMA_MISMATCH' })
  t.strictSame(lines[0]?.paths.toSorted(), ['added', 'public_id', 'removed', 'resource_type', 'type'])
})

t.test('logs names of the schema, and no values', async (t) => {
  const { check, lines } = build()
  check(
    sampleEvent(
      'upload',
      {},
      {
        tags: ['ok', 7, { secret: 's3cret' }],
        metadata: { s3cret: { s3cret: 's3cret' } },
        context: { custom: { s3cret: 7 } },
        notification_context: { triggered_by: { id: 7 } },
        moderation: [{ kind: 'manual' }, { kind: 7, status: 'pending' }]
      }
    )
  )
  t.strictSame(lines[0]?.paths.toSorted(), [
    'context.custom.*',
    'metadata.*',
    'moderation.kind',
    'moderation.status',
    'notification_context.triggered_by.id',
    'tags'
  ])
  t.notMatch(JSON.stringify(lines), 's3cret')
})

t.test('does not check what is not a known notification', async (t) => {
  const { check, counts } = build()
  check(sampleEvent('unknown', {}, { public_id: 7 }))
  check({ ...tagsAs(undefined), reconciled: true })
  check({ ...sampleEvent('upload'), type: 'type_of_a_newer_release' as 'upload' })
  t.strictSame(counts, {})
})
