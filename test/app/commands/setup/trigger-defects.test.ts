import t from 'tap'
import type { Trigger } from '../../../../app/cloudinary/triggers.ts'
import { defectsOf } from '../../../../app/commands/setup/trigger-defects.ts'

const TRIGGER: Trigger = { id: '1', uri: 'https://example.com/webhooks/cloudinary', event_type: 'upload' }

t.test('finds none in a trigger with default settings', (t) => {
  for (const unset of [undefined, null, {}, ''] as object[])
    t.strictSame(defectsOf({ ...TRIGGER, filter: unset, payload_template: unset }), [])
  t.strictSame(defectsOf({ ...TRIGGER, auth_scheme: 'default' }), [])
  t.end()
})

t.test('reports each setting with its level', (t) => {
  const defects = defectsOf({
    ...TRIGGER,
    filter: { '==': [1, 1] },
    payload_template: '{{public_id}}',
    auth_scheme: 'eddsa_v2'
  })
  t.match(defects, [
    { level: 'fault', message: /auth_scheme/ },
    { level: 'fault', message: /payload_template/ },
    { level: 'warning', message: /filter/ }
  ])
  t.end()
})
