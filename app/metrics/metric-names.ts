/** Each combination of dimension values is billed as a separate metric. */
export type Dimension = 'Role' | 'Reason' | 'Processor' | 'Type'

interface Definition {
  /** CloudWatch's name of the unit. */
  unit: 'Count' | 'Milliseconds' | 'None'
  /** The sets of dimensions under which the metric is written. */
  dimensions: readonly (readonly ['Role', ...Dimension[]])[]
  /** Meaning, for the table in the documentation. */
  meaning: string
}

const ROLE = [['Role']] as const
const ROLE_AND_REASON = [['Role'], ['Role', 'Reason']] as const
const ROLE_AND_TYPE = [['Role'], ['Role', 'Type']] as const
const ROLE_AND_PROCESSOR = [['Role', 'Processor']] as const

/**
 * Every metric that the listener writes, in the order of the documentation's table. Dashboards and alarms
 * depend on the names.
 */
export const METRICS = {
  NotificationsAccepted: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'notifications whose events are all stored'
  },
  EventsStored: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'events of accepted notifications: one per asset'
  },
  NotificationsRefused: {
    unit: 'Count',
    dimensions: ROLE_AND_REASON,
    meaning:
      'answered 401, 413 or 400, or left in the poll channel; `Reason`: a `code` of the log, or `BAD_REQUEST`'
  },
  NotificationsUnavailable: {
    unit: 'Count',
    dimensions: ROLE_AND_REASON,
    meaning: 'answered 503 or 500, or left in the poll channel; `Reason`: a `code` of the log, or `INTERNAL`'
  },
  AckLatency: {
    unit: 'Milliseconds',
    dimensions: ROLE,
    meaning: 'from the first byte of the request to the response 200, of accepted notifications'
  },
  EndToEndLatency: {
    unit: 'Milliseconds',
    dimensions: ROLE,
    meaning: 'from `receivedAt` until the last processor has finished; without redrives and replays'
  },
  EventsProcessed: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'events for which all processors succeeded'
  },
  EventsIgnored: { unit: 'Count', dimensions: ROLE, meaning: 'events that no processor handles' },
  EventsDuplicate: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'duplicate deliveries of completed events'
  },
  EventsRetried: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'failed attempts that will be retried'
  },
  RetriedEventAge: {
    unit: 'Milliseconds',
    dimensions: ROLE,
    meaning:
      'from `receivedAt` until an event is returned to the queue for a retry; without redrives and replays'
  },
  EventsDeadLettered: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'dead letters written: one per event and processor'
  },
  MessagesNotHandled: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'messages returned to the queue because the journal or the dead-letter queue failed'
  },
  ProcessorDuration: {
    unit: 'Milliseconds',
    dimensions: ROLE_AND_PROCESSOR,
    meaning: 'each run of a processor, with any outcome'
  },
  ProcessorProcessed: { unit: 'Count', dimensions: ROLE_AND_PROCESSOR, meaning: 'successful runs' },
  ProcessorFailed: {
    unit: 'Count',
    dimensions: ROLE_AND_PROCESSOR,
    meaning: 'failed runs, permanent or not'
  },
  SchemaMismatch: {
    unit: 'Count',
    dimensions: ROLE_AND_TYPE,
    meaning:
      'events whose payload does not fit the [schema of its type](events/README.md), and which are processed all the same: Cloudinary may have changed it; `Type`: the event type'
  },
  PollMessages: { unit: 'Count', dimensions: ROLE, meaning: 'messages received from poll channels' },
  PollMessagesFlawed: {
    unit: 'Count',
    dimensions: ROLE_AND_REASON,
    meaning: 'poll deliveries that could not be read or acknowledged; `Reason`: a `code` of the log'
  },
  PollFailures: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'failures of Cloudinary or SQS after which `poll` paused'
  },
  CanariesEnded: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'test notifications of `canary` that were stored, received by a worker, and recorded'
  },
  CanariesFailed: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'test notifications of `canary` that failed on the way'
  },
  CanaryLatency: {
    unit: 'Milliseconds',
    dimensions: ROLE,
    meaning: 'from the start of the request until the journal has the outcome, checked every second'
  },
  ConcurrencyUsed: {
    unit: 'None',
    dimensions: ROLE,
    meaning:
      'assets whose events a worker processes at the moment, in percent of `WORKER_CONCURRENCY`; written every minute'
  },
  BreakerOpen: {
    unit: 'None',
    dimensions: ROLE,
    meaning: '1 while the circuit breaker of any Cloudinary cloud is open, else 0; written every minute'
  }
} as const satisfies Record<string, Definition>

export type MetricName = keyof typeof METRICS
