/** What tells one series of a metric from another. Each combination of values is billed as a metric of its own. */
export type Dimension = 'Role' | 'Reason' | 'Processor'

interface Definition {
  /** As CloudWatch names it. */
  unit: 'Count' | 'Milliseconds' | 'None'
  /** The sets of dimensions it is written under. */
  dimensions: readonly (readonly ['Role', ...Dimension[]])[]
  /** What it says, as the documentation's table prints it. */
  meaning: string
}

const ROLE = [['Role']] as const
const ROLE_AND_REASON = [['Role'], ['Role', 'Reason']] as const
const ROLE_AND_PROCESSOR = [['Role', 'Processor']] as const

/**
 * Every metric the listener writes, in the order the documentation lists them. It is all that dashboards and alarms
 * need to know: names are part of what this listener promises to the outside.
 */
export const METRICS = {
  NotificationsAccepted: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'notifications of which every event is stored'
  },
  EventsStored: { unit: 'Count', dimensions: ROLE, meaning: 'the events of those: one for each asset' },
  NotificationsRefused: {
    unit: 'Count',
    dimensions: ROLE_AND_REASON,
    meaning:
      'answered 401, 413 or 400, or by `poll` left in the channel, each time; `Reason` is a code of the log, or `BAD_REQUEST`'
  },
  NotificationsUnavailable: {
    unit: 'Count',
    dimensions: ROLE_AND_REASON,
    meaning:
      'not stored: answered 503 or 500, or by `poll` left in the channel; `Reason` is a code of the log, or `INTERNAL`'
  },
  AckLatency: {
    unit: 'Milliseconds',
    dimensions: ROLE,
    meaning: "from the request's first byte to the 200, of accepted notifications"
  },
  EndToEndLatency: {
    unit: 'Milliseconds',
    dimensions: ROLE,
    meaning: 'from `receivedAt` to the last processor being done; redrives and replays are left out'
  },
  EventsProcessed: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'events for which every processor has succeeded'
  },
  EventsIgnored: { unit: 'Count', dimensions: ROLE, meaning: 'events that no processor was run for' },
  EventsDuplicate: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'deliveries of an event that was finished before'
  },
  EventsRetried: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'attempts at an event that failed and are to be made again'
  },
  RetriedEventAge: {
    unit: 'Milliseconds',
    dimensions: ROLE,
    meaning:
      'age of an event, since `receivedAt`, each time it returns to the queue; without redrives and replays'
  },
  EventsDeadLettered: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'letters written to the dead-letter queue: one for each event and processor'
  },
  MessagesNotHandled: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'messages returned to the queue because the journal or the dead-letter queue did not answer'
  },
  ProcessorDuration: {
    unit: 'Milliseconds',
    dimensions: ROLE_AND_PROCESSOR,
    meaning: 'each run of a processor, however it ended'
  },
  ProcessorProcessed: { unit: 'Count', dimensions: ROLE_AND_PROCESSOR, meaning: 'runs that succeeded' },
  ProcessorFailed: {
    unit: 'Count',
    dimensions: ROLE_AND_PROCESSOR,
    meaning: 'runs that failed, for good or for now'
  },
  PollMessages: { unit: 'Count', dimensions: ROLE, meaning: 'messages that poll channels gave' },
  PollMessagesFlawed: {
    unit: 'Count',
    dimensions: ROLE_AND_REASON,
    meaning:
      'messages of poll channels that could not be read or acknowledged, each time; `Reason` is a code of the log'
  },
  PollFailures: {
    unit: 'Count',
    dimensions: ROLE,
    meaning: 'times that `poll` had to pause, since Cloudinary or SQS did not answer'
  },
  BreakerOpen: {
    unit: 'None',
    dimensions: ROLE,
    meaning: '1 while calls to one Cloudinary cloud or more are stopped, else 0; written every minute'
  }
} as const satisfies Record<string, Definition>

export type MetricName = keyof typeof METRICS
