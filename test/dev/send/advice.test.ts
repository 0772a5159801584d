import { test } from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { describeEvent } from '../../../app/worker/event-report.ts'
import { advise, isExpected } from '../../../dev/send/advice.ts'
import { DEFECTS, type Defect } from '../../../dev/send/defects.ts'
import type { Outcome } from '../../../dev/send/deliver.ts'
import type { SendOptions } from '../../../dev/send/options.ts'
import { makeRequest } from '../../../dev/send/request.ts'
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

test('a 200 is what an intact notification should get', async (t) => {
  t.ok(isExpected(sendOptions(), answered(200)))
  t.notOk(isExpected(sendOptions(), answered(202)))
  t.notOk(isExpected(sendOptions(), answered(401, 'SIGNATURE_INVALID')))
  t.notOk(isExpected(sendOptions(), unanswered('ECONNREFUSED')))
})

test('a defect should get a 401 with its own code, and nothing else', async (t) => {
  for (const defect of Object.keys(DEFECTS) as Defect[]) {
    const { code } = DEFECTS[defect]
    t.ok(isExpected(sendOptions({ defect }), answered(401, code)))
    t.notOk(isExpected(sendOptions({ defect }), answered(401, 'SIGNATURE_OTHER')))
    t.notOk(isExpected(sendOptions({ defect }), answered(200)))
    t.match(advice({ defect }, answered(401, code)), `As it should: --${defect} makes it ${code}`)
    t.match(advice({ defect }, answered(200)), `should have been answered 401 ${code}`)
  }
})

test('what was accepted can be found in the log by what the worker logs, and an upload in the stand-in', async (t) => {
  const logged = (publicId?: string, assetId?: string) => {
    const { asset } = describeEvent({ asset: { publicId, assetId } } as AssetEvent) as { asset: string }
    return JSON.stringify({ asset }).slice(1, -1)
  }
  const upload = advice({ publicId: 'shop/brown' }, answered(200))
  t.match(upload, '"event processed"')
  t.match(upload, `with ${logged('shop/brown', 'some-id')}. The asset is a sample`)
  t.match(upload, /skipped: the asset was deleted meanwhile.* upload to the stand-in/)
  t.notMatch(advice({ type: 'delete' }, answered(200)), /is a sample/)
  const file = (text: string) => advice({ file: 'x' }, answered(200), Buffer.from(text))
  t.match(file('{"public_id":"a"}'), `with ${logged('a')}.`)
  t.match(file('{"asset_id":"b"}'), `with ${logged(undefined, 'b')}.`)
  t.match(advice({ type: 'create_folder' }, answered(200)), 'with "type":"create_folder".')
})

test('own changes are said to start no processor, except eager results', async (t) => {
  t.match(advice({ own: true }, answered(200)), /own change \(--own\)/)
  t.notMatch(advice({ own: true, type: 'eager' }, answered(200)), /--own/)
})

test('a 401 that was not on purpose points to the secret', async (t) => {
  t.match(advice({}, answered(401, 'SIGNATURE_INVALID')), /SIGNATURE_INVALID: .*same secret/)
  t.match(advice({}, answered(401)), /^Refused\. .*same secret/)
})

test('other answers say where the fault is', async (t) => {
  t.match(advice({}, answered(404)), /no such route/)
  t.match(advice({}, answered(413)), /BODY_LIMIT_BYTES/)
  t.match(advice({}, answered(503)), /could not store/)
  t.match(advice({}, answered(500)), /log says why/)
})

test('where nothing listens, the listener is to be started first', async (t) => {
  t.match(advice({}, unanswered('ECONNREFUSED')), /Start the listener with `npm start` first/)
  t.match(advice({}, unanswered('ENOTFOUND')), /did not answer \(ENOTFOUND\)/)
})
