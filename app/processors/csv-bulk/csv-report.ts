import { pipeline } from 'node:stream'
import { stringify } from 'csv-stringify'
import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { type RawFile, uploadRawFile } from '../../cloudinary/raw-files.ts'
import type { Dialect } from './csv-dialect.ts'
import type { RowOutcome } from './csv-progress.ts'
import { reportIdOf } from './csv-report-id.ts'

const COLUMNS = ['row', 'operation', 'public_id', 'outcome', 'error'] as const

export interface ReportOptions {
  source: RawFile
  dialect: Dialect
  /** Outcomes in the order of the rows. */
  outcomes: AsyncIterable<RowOutcome>
  /** Why the file, or the rest of it, did not run. */
  stopped?: string | undefined
}

/**
 * Uploads the outcome of each row as a CSV file beside the source, in the same format. Replaces an earlier
 * report. Prefixes cells that a spreadsheet would read as a formula with `'`.
 *
 * @returns the public id of the report
 * @throws {CloudinaryError}
 */
export async function uploadReport(client: CloudinaryClient, options: ReportOptions): Promise<string> {
  const { source, dialect } = options
  const publicId = reportIdOf(source.publicId)
  const lines = stringify({ ...dialect, header: true, columns: [...COLUMNS], escape_formulas: true })
  // an error also destroys `lines`, so the upload rejects with it
  pipeline(records(options), lines, () => {})
  await uploadRawFile(client, { ...source, publicId }, lines)
  return publicId
}

async function* records({ outcomes, stopped }: ReportOptions) {
  for await (const { publicId, ...outcome } of outcomes) yield { ...outcome, public_id: publicId }
  if (stopped !== undefined) yield { outcome: 'stopped', error: stopped }
}
