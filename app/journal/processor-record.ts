interface RunFields {
  /** When the run started or ended; ISO 8601, UTC. */
  at: string
  /** Number of runs that counted, including this one. */
  attempts: number
  /** Number of consecutive failures that did not count, because Cloudinary was down or limited calls. */
  waits: number
  /** The redrive or replay that the run belongs to. */
  run?: string
  /** The replay that the run belongs to, directly or through a redrive. */
  replay?: string
}

interface EndedRunFields extends RunFields {
  milliseconds: number
}

/** The last run of one processor for one event. `succeeded` and `dead` are final. */
export type ProcessorRecord =
  /** Running now, or its worker crashed before it could record the outcome. */
  | (RunFields & { outcome: 'started' })
  | (EndedRunFields & { outcome: 'succeeded'; note?: string })
  | (EndedRunFields & {
      outcome: 'failed'
      code: string
      message: string
      /** Earliest time of the next run; ISO 8601, UTC. */
      notBefore: string
    })
  | (EndedRunFields & { outcome: 'dead'; code: string; message: string })

/** Records by processor name. */
export type ProcessorRecords = Readonly<Record<string, ProcessorRecord>>

/** Returns the record of a processor, which may be named `constructor`. */
export const recordNamed = (records: ProcessorRecords | undefined, name: string) =>
  records && Object.hasOwn(records, name) ? records[name] : undefined

/** Fills in what releases before 0.2.0 did not record. */
export const completeRecords = (records: ProcessorRecords): ProcessorRecords =>
  Object.fromEntries(
    Object.entries(records).map(([name, record]) => {
      const complete = { ...record, attempts: record.attempts ?? 0, waits: record.waits ?? 0 }
      if (complete.outcome !== 'failed') return [name, complete]
      return [name, { ...complete, notBefore: complete.notBefore ?? complete.at }]
    })
  )

/** Maximum length of a note, code or message, in characters, so that many of them fit beside the payload. */
const MAX_TEXT_LENGTH = 500

/** Truncates the texts of a record, and omits undefined fields. */
export const cutTexts = <Fields extends object>(fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        typeof value === 'string' ? value.slice(0, MAX_TEXT_LENGTH).toWellFormed() : value
      ])
  ) as Fields

export const cutRecords = (records: ProcessorRecords): ProcessorRecords =>
  Object.fromEntries(Object.entries(records).map(([name, record]) => [name, cutTexts(record)]))
