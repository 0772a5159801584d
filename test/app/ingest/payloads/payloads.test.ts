import t from 'tap'
import { KNOWN_TYPES } from '../../../../app/ingest/event-types.ts'
import { PAYLOADS } from '../../../../app/ingest/payloads/payloads.ts'
import { RESOURCE_TYPES } from '../../../../app/testing/samples/sample-asset.ts'
import { SAMPLE_NAMES, sampleNotification, TYPES_OF_MANY } from '../../../../app/testing/samples.ts'
import { sampleEvent } from '../../../support/events.ts'
import { misfitsIn } from '../../../support/payloads.ts'
import { CAPTURED } from './captured-bodies.ts'

const KNOWN = SAMPLE_NAMES.flatMap(({ type, variants }) => (type === 'unknown' ? [] : [{ type, variants }]))

t.test('has a schema of each known type, under its name', async (t) => {
  t.same(Object.keys(PAYLOADS).toSorted(), [...KNOWN_TYPES].toSorted())
  for (const [type, schema] of Object.entries(PAYLOADS)) {
    t.match(schema.meta(), { title: type, description: /\.$/ }, type)
  }
})

t.test('every sample fits the schema of its type', async (t) => {
  for (const { type, variants } of KNOWN) {
    const count = TYPES_OF_MANY.includes(type) ? 3 : 1
    for (const variant of variants) {
      for (const resourceType of RESOURCE_TYPES) {
        const body = sampleNotification(type, { variant, resourceType, count })
        t.strictSame(misfitsIn(body), [], `${type} ${variant} ${resourceType}`)
      }
    }
  }
})

t.test('every captured body fits the schema of its type', async (t) => {
  for (const [name, body] of Object.entries(CAPTURED)) t.strictSame(misfitsIn(body), [], name)
})

t.test('unknown fields pass, and stay', async (t) => {
  for (const { type } of KNOWN) {
    const { payload } = sampleEvent(type, {}, { a_new_field: { of: ['any', 'shape'] } })
    t.strictSame(PAYLOADS[type].parse(payload), payload, type)
  }
})

t.test('a payload without a required field, or with a wrong one, does not fit', async (t) => {
  for (const { type } of KNOWN) {
    const { payload } = sampleEvent(type)
    const fits = (changed: object) => PAYLOADS[type].safeParse({ ...payload, ...changed }).success
    for (const [name, field] of Object.entries(PAYLOADS[type].shape)) {
      t.equal(fits({ [name]: undefined }), field.safeParse(undefined).success, `${type} without ${name}`)
      t.equal(fits({ [name]: Symbol() }), field.safeParse(Symbol()).success, `${type} with a wrong ${name}`)
    }
    t.notOk(fits({ notification_type: 'other' }), type)
  }
})

t.test('the stated shape of the body is that of the sample', async (t) => {
  for (const { type } of KNOWN) {
    const { resources, assets } = sampleNotification(type)
    const shape = Array.isArray(resources) ? 'list' : resources ? 'map' : assets ? 'assets' : 'flat'
    t.equal(PAYLOADS[type].meta()?.['x-body'], shape, type)
  }
})
