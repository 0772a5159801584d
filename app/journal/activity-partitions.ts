/** Retention of counts and samples, in days. */
export const SAMPLE_DAYS = 7

/** Partition of the history index that holds the newest sample of the queue from each worker. */
export const QUEUE_PARTITION = 'queue'

/** Partition of the history index that holds the replays and discards of the activity role. */
export const REPAIRS_PARTITION = 'repairs'

/** Returns the partition of the history index with the counts of an hour. `time`: ISO 8601. */
export const minutesPartition = (time: string): string => `minutes#${time.slice(0, 13)}`

/** Returns the partition of the history index with the refused notifications of a day. `time`: ISO 8601. */
export const refusedPartition = (time: string): string => `refused#${time.slice(0, 10)}`

/** Prefixes of the ids of items that are not events. Ids of events are hexadecimal. */
export const ACTIVITY_ID_PREFIX = {
  minute: 'minute#',
  refused: 'refused#',
  queue: 'queue#',
  repair: 'repair#'
} as const
