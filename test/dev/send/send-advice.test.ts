import { test } from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { SAMPLE_NAMES, sampleNotification } from '../../../app/testing/samples.ts'
import { describeEvent } from '../../../app/worker/event-report.ts'
import { advise, assetsOf, authorOf } from '../../../dev/send/send-advice.ts'
import type { Outcome } from '../../../dev/send/send-many.ts'
import { DEFECTS, type Defect, type SendOptions } from '../../../dev/send/send-options.ts'
import { makeRequest } from '../../../dev/send/signed-request.ts'
import { sendOptions } from './fixtures.ts'

const answered = (status: number, code?: string): Outcome => ({
  kind: 'answered',
  status,
  body: JSON.stringify({ code }),
  ms: 1
})
const unanswered = (reason: string): Outcome => ({ kind: 'unanswered', reason, ms: 1 })

const advice = (given: Partial<SendOptions>, outcome: Outcome, file?: Buffer<ArrayBuffer>) =>
  advise(sendOptions(given), makeRequest(sendOptions(given), 0, new Date(), file), outcome)

test('explains the answer to a deliberate error', async (t) => {
  for (const defect of Object.keys(DEFECTS) as Defect[]) {
    const { code } = DEFECTS[defect]
    t.match(advice({ defect }, answered(401, code)), `--${defect} is answered ${code}`)
    t.match(advice({ defect }, answered(200)), `401 ${code}`)
  }
})

test('after a 200, names the fields of its log line', async (t) => {
  const logged = (publicId?: string, assetId?: string) => {
    const { asset } = describeEvent({ asset: { publicId, assetId } } as AssetEvent) as { asset: string }
    return JSON.stringify({ asset }).slice(1, -1)
  }
  const upload = advice({ publicId: 'shop/brown' }, answered(200))
  t.match(upload, '"event processed"')
  t.match(upload, `with ${logged('shop/brown', 'some-id')}. The asset is a sample`)
  t.match(upload, /to the stand-in/)
  t.notMatch(advice({ type: 'delete' }, answered(200)), /is a sample/)
  const file = (text: string) => advice({ file: 'x' }, answered(200), Buffer.from(text))
  t.match(file('{"public_id":"a"}'), `with ${logged('a')}.`)
  t.match(file('{"asset_id":"b"}'), `with ${logged(undefined, 'b')}.`)
  t.match(advice({ type: 'create_folder' }, answered(200)), 'with "type":"create_folder".')
})

test('explains that own changes run no processor, except eager results', async (t) => {
  t.match(advice({ own: true }, answered(200)), /own change \(--own\)/)
  t.notMatch(advice({ own: true, type: 'eager' }, answered(200)), /--own/)
})

test('an unintended 401 points to the secret', async (t) => {
  t.match(advice({}, answered(401, 'SIGNATURE_INVALID')), /SIGNATURE_INVALID: .*same secret/)
  t.match(advice({}, answered(401)), /^Refused\. .*same secret/)
})

test('explains other answers', async (t) => {
  t.match(advice({}, answered(404)), /no such route/)
  t.match(advice({}, answered(413)), /BODY_LIMIT_BYTES/)
  t.match(advice({}, answered(503)), /QUEUE_UNAVAILABLE.*OVERLOADED/)
  t.match(advice({}, answered(500)), /log/)
})

test('says how to start a listener if none answers', async (t) => {
  t.match(advice({}, unanswered('ECONNREFUSED')), /Start the listener with `npm start`/)
  t.match(advice({}, unanswered('ENOTFOUND')), /did not answer \(ENOTFOUND\)/)
})

test('finds the asset of a flat notification', async (t) => {
  t.strictSame(assetsOf({ public_id: 'a', asset_id: 'b', width: 1 }), [{ publicId: 'a', assetId: 'b' }])
  t.strictSame(assetsOf({ from_public_id: 'a', to_public_id: 'c' }), [{ publicId: 'a' }])
})

test('finds the assets in lists and maps', async (t) => {
  t.strictSame(assetsOf({ resources: [{ public_id: 'a' }, 'nonsense', { asset_id: 'b' }] }), [
    { publicId: 'a' },
    { assetId: 'b' }
  ])
  t.strictSame(assetsOf({ resources: { a: { asset_id: 'b' }, c: 'nonsense' } }), [
    { publicId: 'a', assetId: 'b' },
    { publicId: 'c' }
  ])
  t.strictSame(assetsOf({ assets: [{ public_id: 'a' }] }), [{ publicId: 'a' }])
})

test('finds no asset in a notification without one', async (t) => {
  t.strictSame(assetsOf(null), [])
  t.strictSame(assetsOf({ folder_path: 'a' }), [])
})

test('finds assets in all samples except those of folders and environments', async (t) => {
  const none = SAMPLE_NAMES.filter(({ type }) => assetsOf(sampleNotification(type)).length === 0)
  t.same(
    none.map(({ type }) => type),
    [
      'bulk_refresh_auto_fetch',
      'create_folder',
      'delete_folder',
      'invalidate_custom_cdn',
      'move_or_rename_asset_folder',
      'report'
    ]
  )
})

test('names the author: an API key, a person, or not stated', async (t) => {
  const by = (triggered_by: unknown) => authorOf({ notification_context: { triggered_by } })
  t.equal(by({ source: 'api', id: '222' }), 'API key 222')
  t.equal(by({ source: 'ui', id: 'abc' }), 'ui abc')
  t.equal(by(undefined), 'not stated in the body')
  t.equal(authorOf({}), 'not stated in the body')
  t.equal(authorOf(null), 'not stated in the body')
})
