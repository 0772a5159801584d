import { parse } from 'csv-parse/sync'
import t, { type Test } from 'tap'
import type { RowOutcome } from '../../../../app/processors/csv-bulk/csv-progress.ts'
import { uploadReport } from '../../../../app/processors/csv-bulk/csv-report.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const COMMA = { delimiter: ',', bom: false }

async function* outcomes(...given: RowOutcome[]) {
  yield* given
}
const ok = (row: number): RowOutcome => ({
  row,
  operation: 'add_tags',
  publicId: `a${row}`,
  outcome: 'ok',
  error: ''
})

const SOURCE = { publicId: 'bulk/june.csv', deliveryType: 'upload' }

async function start(t: Test) {
  const { cloudinary, clients } = await buildCloudinary(t)
  const client = clients.for('demo', new AbortController().signal)
  const content = (type = 'upload') =>
    cloudinary.assets.find('bulk/june.report.csv', { resourceType: 'raw', type })?.content?.toString()
  return { cloudinary, client, content }
}

t.test('writes a line per row', async (t) => {
  const { client, content } = await start(t)
  const failed: RowOutcome = {
    row: 3,
    operation: 'delete',
    publicId: 'b,"c"',
    outcome: 'failed',
    error: 'gone\nfor good'
  }
  const name = await uploadReport(client, {
    source: SOURCE,
    dialect: COMMA,
    outcomes: outcomes(ok(2), failed)
  })
  t.equal(name, 'bulk/june.report.csv')
  t.equal(
    content(),
    'row,operation,public_id,outcome,error\n2,add_tags,a2,ok,\n3,delete,"b,""c""",failed,"gone\nfor good"\n'
  )
})

t.test('uses the format and the location of the file', async (t) => {
  const { cloudinary, client, content } = await start(t)
  await uploadReport(client, {
    source: { publicId: 'bulk/june.csv', deliveryType: 'private', assetFolder: 'campaigns' },
    dialect: { delimiter: ';', bom: true },
    outcomes: outcomes(ok(2))
  })
  t.equal(content('private'), '\uFEFFrow;operation;public_id;outcome;error\n2;add_tags;a2;ok;\n')
  t.match(cloudinary.assets.all().at(-1), { assetFolder: 'campaigns' })
})

t.test('explains in the last line why the file stopped', async (t) => {
  const { client, content } = await start(t)
  const stopped = 'the file was deleted'
  await uploadReport(client, {
    source: SOURCE,
    dialect: COMMA,
    outcomes: outcomes(ok(2)),
    stopped
  })
  t.match(parse(content()!, { columns: true }).at(-1), { row: '', outcome: 'stopped', error: stopped })
})

t.test('escapes formulas', async (t) => {
  const { client, content } = await start(t)
  await uploadReport(client, {
    source: SOURCE,
    dialect: COMMA,
    outcomes: outcomes({ ...ok(2), publicId: '=cmd|calc', error: '@x' })
  })
  t.match(parse(content()!, { columns: true }), [{ public_id: "'=cmd|calc", error: "'@x" }])
})

t.test('streams a report of many rows', async (t) => {
  const { client, content } = await start(t)
  async function* many() {
    for (let row = 2; row < 20_002; row++) yield ok(row)
  }
  await uploadReport(client, { source: SOURCE, dialect: COMMA, outcomes: many() })
  t.equal(content()!.split('\n').length, 20_002)
})

t.test('uploads nothing if the outcomes cannot be read', async (t) => {
  const { client, content } = await start(t)
  async function* broken() {
    yield ok(2)
    throw Object.assign(new Error('forgotten'), { code: 'CSV_OUTCOMES_FORGOTTEN' })
  }
  await t.rejects(uploadReport(client, { source: SOURCE, dialect: COMMA, outcomes: broken() }), /forgotten/)
  t.equal(content(), undefined)
})
