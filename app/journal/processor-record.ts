interface Run {
  /** When the run began or ended; ISO 8601, UTC. */
  at: string
  /** Runs that counted, this one included. */
  attempts: number
  /** Failures in a row that did not count, since Cloudinary was down or limited calls. */
  waits: number
  /** The operator's run that it belongs to; the event's own has none. */
  run?: string
  /** The replay that this run belongs to. */
  replay?: string
}

interface Ended extends Run {
  milliseconds: number
}

/** The last run of one processor for one event. `succeeded` and `dead` are final. */
export type ProcessorRecord =
  /** It runs now, or its worker ended before it could record the outcome. */
  | (Run & { outcome: 'started' })
  | (Ended & { outcome: 'succeeded'; note?: string })
  | (Ended & {
      outcome: 'failed'
      code: string
      message: string
      /** It is not run again before; ISO 8601, UTC. */
      notBefore: string
    })
  | (Ended & { outcome: 'dead'; code: string; message: string })

/** By the name of the processor. */
export type ProcessorRecords = Readonly<Record<string, ProcessorRecord>>

/** Fills in what releases before 0.2.0 did not record. */
export const completeRecords = (records: ProcessorRecords): ProcessorRecords =>
  Object.fromEntries(
    Object.entries(records).map(([name, record]) => {
      const complete = { ...record, attempts: record.attempts ?? 0, waits: record.waits ?? 0 }
      if (complete.outcome !== 'failed') return [name, complete]
      return [name, { ...complete, notBefore: complete.notBefore ?? complete.at }]
    })
  )

/** Maximum length of a note, a code or a message, in characters, so that many of them fit beside the payload. */
const LONGEST_TEXT = 500

/** Cuts the texts of a record, and leaves out what is undefined. */
export const cutTexts = <Fields extends object>(fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        typeof value === 'string' ? value.slice(0, LONGEST_TEXT).toWellFormed() : value
      ])
  ) as Fields
