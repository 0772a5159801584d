export interface Input {
  value: number
  unit: string
  /** Why it is that. */
  reason: string
}

/**
 * What the bill and the number of tasks are computed from beside the prices and the settings. Measured figures are those of
 * docs/benchmarks.md; the others are ours to guess, and yours to know: change them here, and `npm run docs`.
 */
export const TRAFFIC = {
  ownShare: {
    value: 0.6,
    unit: 'of events',
    reason:
      "the listener's own changes, which Cloudinary notifies too: with the two processors of listener.config.ts an upload causes two, " +
      'another change one; half of the others are uploads'
  },
  processors: {
    value: 1.5,
    unit: 'for each other event',
    reason: 'of the same: an upload runs both, another change one'
  },
  cloudinaryCalls: {
    value: 2.5,
    unit: 'for each other event',
    reason: 'of the same: three for an upload, two for another change'
  },
  cloudinaryMs: {
    value: 300,
    unit: 'ms a call',
    reason: 'guessed; `milliseconds` of the line `event processed` tells yours'
  },
  eventsPerNotification: {
    value: 1,
    unit: 'events',
    reason: 'the dearest case: a bulk change makes up to 1,000 of one notification'
  },
  peakFactor: { value: 10, unit: 'times the average', reason: 'guessed: the busiest minute of a month' },
  notificationBytes: {
    value: 1500,
    unit: 'bytes',
    reason: 'an upload with tags, context and metadata; with headers'
  },
  messageBytes: {
    value: 1600,
    unit: 'bytes',
    reason: 'the same as an event in SQS: far under the 64 KB that a request may have'
  },
  sqsRequests: {
    value: 3,
    unit: 'for each event',
    reason:
      'send, receive, delete. One event in each: at these rates calls seldom meet. Full batches would be a tenth'
  },
  receiveSeconds: {
    value: 2,
    unit: 's',
    reason: 'an idle worker asks again after so long; counted as if all workers were always idle'
  },
  probeSeconds: { value: 5, unit: 's', reason: 'a `web` task asks the queue so often for its load balancer' },
  processedItemBytes: {
    value: 1600,
    unit: 'bytes',
    reason: 'item of the journal, measured; each write is charged by the whole of it'
  },
  ignoredItemBytes: { value: 1000, unit: 'bytes', reason: 'the same of an own change' },
  indexItemBytes: { value: 750, unit: 'bytes', reason: 'the copy in the index, without the payload' },
  retentionDays: { value: 30, unit: 'days', reason: "the journal's time to live" },
  webCpuMs: {
    value: 1.5,
    unit: 'ms',
    reason: 'CPU time of `web` for a notification, measured one at a time; at full load it is 1.0'
  },
  processedCpuMs: {
    value: 5.9,
    unit: 'ms',
    reason:
      'CPU time of `worker` for an upload with both processors, measured with a Cloudinary that takes 200 ms; taken for any other change too'
  },
  ignoredCpuMs: {
    value: 1.2,
    unit: 'ms',
    reason: 'CPU time of `worker` for an own change, measured at full load'
  },
  cpuTarget: { value: 0.6, unit: 'of the CPU', reason: '`web.cpuPercent`: what a task may be loaded with' },
  webLogBytes: { value: 360, unit: 'bytes', reason: "a notification's line, measured, with its trace id" },
  processedLogBytes: { value: 420, unit: 'bytes', reason: "a processor's line, likewise" },
  ignoredLogBytes: { value: 360, unit: 'bytes', reason: "an own change's line, likewise" },
  logOverheadBytes: { value: 26, unit: 'bytes', reason: 'CloudWatch adds so many to each line' },
  metricLogBytes: { value: 3000, unit: 'bytes', reason: 'lines of metrics that a task writes in a minute' },
  insightsLogBytes: {
    value: 8000,
    unit: 'bytes',
    reason: 'lines that Container Insights writes in a minute'
  },
  logCompression: {
    value: 0.15,
    unit: 'of what was taken in',
    reason: 'what CloudWatch stores of it, as its price list has it'
  },
  customMetrics: {
    value: 21,
    unit: 'metrics',
    reason: 'those of docs/operations.md that have values, with two processors and three reasons'
  },
  insightsMetrics: {
    value: 48,
    unit: 'metrics',
    reason:
      'of Container Insights: 8 for the cluster, 11 for each of two services, 6 for each of three task definitions; not checked'
  },
  alarmMetrics: {
    value: 24,
    unit: 'metrics',
    reason: 'of nine alarms and of those that scale; one of a formula counts for each metric in it'
  },
  cloudinaryBytesOut: {
    value: 1500,
    unit: 'bytes a call',
    reason: 'to Cloudinary, on connections that stay open'
  },
  cloudinaryBytesIn: { value: 2000, unit: 'bytes a call', reason: 'from Cloudinary' },
  awsBytes: {
    value: 9000,
    unit: 'bytes for each event',
    reason:
      'between tasks and SQS, CloudWatch and Secrets Manager; DynamoDB has a gateway endpoint, which is free'
  },
  blueprintMs: {
    value: 700,
    unit: 'ms',
    reason: 'of Lambda, which waits for a call to Cloudinary on a new connection; guessed'
  },
  blueprintGb: { value: 0.125, unit: 'GB', reason: "the default, which the blueprint's template keeps" },
  blueprintLogBytes: {
    value: 4500,
    unit: 'bytes',
    reason: 'the blueprint logs the whole request with its context, and Lambda adds three lines; guessed'
  }
} as const satisfies Record<string, Input>

export type InputName = keyof typeof TRAFFIC

/** The values alone, which a reader may vary. */
export type Traffic = { readonly [Name in InputName]: number }

export const DEFAULT_TRAFFIC: Traffic = Object.fromEntries(
  Object.entries(TRAFFIC).map(([name, { value }]) => [name, value])
) as Record<InputName, number>
