import t from 'tap'
import { decisionOf, isDecision, kindOfModeration } from '../../../../app/processors/moderate/decision.ts'
import { sampleEvent } from '../../../support/events.ts'

t.test('only an approval or a rejection is a decision', async (t) => {
  for (const [status, expected] of [
    ['approved', true],
    ['rejected', true],
    ['pending', false],
    ['aborted', false],
    [undefined, false]
  ] as const) {
    t.equal(isDecision(sampleEvent('moderation', {}, { moderation_status: status })), expected)
  }
})

t.test('reads status, kind and time', async (t) => {
  const asset = { publicId: 'bag' }
  const event = sampleEvent('moderation', {}, { moderation_updated_at: '2026-06-01T11:00:00Z' })
  t.strictSame(decisionOf(event, asset), {
    status: 'approved',
    kind: 'aws_rek',
    at: '2026-06-01T11:00:00.000Z',
    environment: 'demo',
    asset
  })
  const other = { moderation_updated_at: 'soon', moderation_kind: 7, moderation_status: 'rejected' }
  const unclear = sampleEvent('moderation', {}, other)
  t.match(decisionOf(unclear, asset), { status: 'rejected', kind: 'unknown', at: unclear.occurredAt })
  t.equal(kindOfModeration(sampleEvent('moderation', {}, { moderation_kind: '' })), 'unknown')
})
