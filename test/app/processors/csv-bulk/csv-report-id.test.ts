import t from 'tap'
import { isReport, reportIdOf } from '../../../../app/processors/csv-bulk/csv-report-id.ts'

t.test('names the report after its file', async (t) => {
  t.equal(reportIdOf('bulk/june.csv'), 'bulk/june.report.csv')
  t.equal(reportIdOf('bulk/JUNE.CSV'), 'bulk/JUNE.report.csv')
  t.ok(isReport(reportIdOf('bulk/june.csv')))
  t.notOk(isReport('bulk/june.csv'))
  t.notOk(isReport('bulk/report.csv'))
})
