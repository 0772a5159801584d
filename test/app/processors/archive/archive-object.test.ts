import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { archiveObjects } from '../../../../app/processors/archive/archive-object.ts'
import { toCloudEvent } from '../../../../app/processors/cloud-event.ts'
import { eventOf } from '../../../support/operator.ts'

const at = (id: string, occurredAt: string) => toCloudEvent(eventOf(id, { occurredAt }))
const late = at('a', '2026-06-01T23:59:59.999Z')
const first = at('b', '2026-06-02T00:00:00.000Z')
const second = at('c', '2026-06-02T08:00:00.000Z')

t.test('makes an object for each day, with a line for each event', async (t) => {
  const objects = await archiveObjects('events/', [second, late, first])
  t.match(objects, [
    { key: /^events\/dt=2026-06-02\/20260602T000000.000Z-[0-9a-f]{32}\.jsonl\.gz$/, ids: ['c', 'b'] },
    { key: /^events\/dt=2026-06-01\/20260601T235959.999Z-[0-9a-f]{32}\.jsonl\.gz$/, ids: ['a'] }
  ])
  const lines = gunzipSync(objects[0]!.body).toString().split('\n')
  t.strictSame(
    lines.map((line) => (line === '' ? '' : JSON.parse(line))),
    [second, first, '']
  )
})

t.test('the same events have the same key, others have another one', async (t) => {
  const keyOf = async (...events: (typeof first)[]) => (await archiveObjects('', events))[0]?.key
  t.equal(await keyOf(first, second), await keyOf(second, first))
  t.not(await keyOf(first, second), await keyOf(first))
  t.match(await keyOf(first), /^dt=/)
  t.strictSame(await archiveObjects('', []), [])
})
