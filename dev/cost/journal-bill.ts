import { SAMPLE_DAYS } from '../../app/journal/activity-partitions.ts'
import { FEED_DIGITS } from '../../app/journal/journal-table.ts'
import { DAYS, GB, HOURS, MILLION, SECONDS } from './month.ts'
import { priceOf } from './prices.ts'
import type { Traffic } from './traffic.ts'

/** Bytes of an on-demand write unit of DynamoDB. */
const WRITE_UNIT = 1024
/** Bytes that DynamoDB adds to each stored item. */
const ITEM_OVERHEAD = 100
/** Units of an eventually consistent read of up to 4 KB, with or without a result. */
const READ_UNITS = 0.5
/** Maximum number of events that a poll of the live feed reads, if no more are new. */
const POLLED_EVENTS = 100
/** Age of the events that the live feed polls, in seconds. */
const POLLED_SECONDS = 60
/** The live feed polls every 500 ms. */
const POLLS_PER_HOUR = 3600 / 0.5

/** What the journal stores in a month. */
export interface JournalLoad {
  notifications: number
  /** Events that processors run for. */
  processed: number
  /** Own changes, which are ignored. */
  own: number
  /** Running tasks. */
  web: number
  worker: number
}

const unitsOf = (bytes: number) => Math.ceil(bytes / WRITE_UNIT)
const writes = (units: number) => priceOf('dynamoWriteMillion', units / MILLION)
const storedGb = (items: number, bytes: number, days: number) =>
  ((days / DAYS) * items * (bytes + ITEM_OVERHEAD)) / GB

/** Each write of an event costs the size of the whole item, in the table and in the index `feed`. */
export function events({ processed, own }: JournalLoad, traffic: Traffic): number {
  const { processors, processedItemBytes, ignoredItemBytes, indexItemBytes, retentionDays } = traffic
  const units = (bytes: number) => unitsOf(bytes) + unitsOf(indexItemBytes)
  const tableGb =
    storedGb(processed, processedItemBytes, retentionDays) + storedGb(own, ignoredItemBytes, retentionDays)
  const indexGb = storedGb(processed + own, indexItemBytes, retentionDays)
  return (
    writes(processed * (1 + processors) * units(processedItemBytes) + own * units(ignoredItemBytes)) +
    priceOf('dynamoGbMonth', tableGb + indexGb) +
    priceOf('dynamoPitrGbMonth', tableGb)
  )
}

/** An event is written to this index once: nothing in it changes later. */
export function history({ processed, own }: JournalLoad, traffic: Traffic): number {
  const { historyItemBytes, retentionDays } = traffic
  const items = processed + own
  return (
    writes(items * unitsOf(historyItemBytes)) +
    priceOf('dynamoGbMonth', storedGb(items, historyItemBytes, retentionDays))
  )
}

/** An event whose first attempt fails is added to this index, and removed when it succeeds. */
export const unfinished = ({ processed }: JournalLoad, { retriedShare }: Traffic): number =>
  writes(processed * retriedShare * 2)

/**
 * Each task writes its counts of a minute in every period in which they changed, and each worker a sample of
 * the queue in every period; in the table and in the index `history`.
 */
export function counts(
  { notifications, processed, own, web, worker }: JournalLoad,
  traffic: Traffic
): number {
  const { minuteItemBytes, queueItemBytes, sampleSeconds } = traffic
  const periods = SECONDS / sampleSeconds
  // arrivals at random: the share of periods with at least one
  const written = (tasks: number, arrivals: number) =>
    tasks * periods * (1 - Math.exp(-arrivals / Math.max(tasks, 1) / periods))
  const minutes = written(web, notifications) + written(worker, processed + own)
  const samples = worker * periods
  const items = (minutes * sampleSeconds) / 60
  const gb = storedGb(items, minuteItemBytes, SAMPLE_DAYS)
  return (
    writes(2 * (minutes * unitsOf(minuteItemBytes) + samples * unitsOf(queueItemBytes))) +
    priceOf('dynamoGbMonth', 2 * gb) +
    priceOf('dynamoPitrGbMonth', gb)
  )
}

/** The live feed queries each partition of a day in each poll, and reads the events of the last minute. */
export function liveReads(monthlyEvents: number, { viewerHours }: Traffic): number {
  const polls = viewerHours * POLLS_PER_HOUR
  const read = Math.min(POLLED_EVENTS, (monthlyEvents / (HOURS * 3600)) * POLLED_SECONDS)
  return priceOf('dynamoReadMillion', (polls * READ_UNITS * (FEED_DIGITS.length + read)) / MILLION)
}
