/**
 * The inputs of the bill and the number of tasks, beside prices and settings. Measured values are from
 * docs/benchmarks.md. Replace the others with yours, and run `npm run docs`.
 */
export type Input = readonly [value: number, unit: string, reason: string]

export const TRAFFIC = {
  ownShare: [
    0.6,
    'of events',
    'own changes: with the processors of listener.config.ts, an upload causes two, another change one; half are uploads'
  ],
  processors: [1.5, 'for each foreign event', 'an upload runs both processors, another change one'],
  cloudinaryCalls: [2.5, 'for each foreign event', 'three for an upload, two for another change'],
  cloudinaryMs: [300, 'ms a call', 'assumed; see `milliseconds` of the log line `event processed`'],
  eventsPerNotification: [1, 'events', 'the most expensive case; a bulk change has up to 1,000'],
  peakFactor: [10, 'times the average', 'assumed, for the busiest minute of a month'],
  notificationBytes: [1500, 'bytes', 'an upload with tags, context and metadata, and its headers'],
  messageBytes: [1600, 'bytes', 'the same upload as an event in SQS'],
  sqsRequests: [3, 'for each event', 'send, receive, delete, without batches; full batches cost a tenth'],
  receiveSeconds: [2, 's', 'interval of an idle worker; counted as if all were always idle'],
  probeSeconds: [5, 's', 'interval of the readiness check in a `web` task'],
  processedItemBytes: [1600, 'bytes', 'journal item, measured; each write costs the whole item'],
  ignoredItemBytes: [1000, 'bytes', 'journal item of an own change, measured'],
  indexItemBytes: [750, 'bytes', 'copy in the index, without the payload'],
  historyItemBytes: [140, 'bytes', 'copy in the index `history`, measured: keys only'],
  retriedShare: [
    0.02,
    'of foreign events',
    'assumed: the first attempt fails; see the metric `EventsRetried`'
  ],
  minuteItemBytes: [510, 'bytes', 'counts of a worker in a minute, measured'],
  queueItemBytes: [190, 'bytes', 'sample of the queue, measured'],
  sampleSeconds: [10, 's', 'interval of counts and samples'],
  retentionDays: [30, 'days', "the journal's time to live"],
  webCpuMs: [
    0.7,
    'ms',
    'CPU time of `web` for a notification, measured at a tenth of its maximum; 0.2 at full load'
  ],
  processedCpuMs: [
    3.6,
    'ms',
    'CPU time of `worker` for an upload, measured with calls of 200 ms; used for any change'
  ],
  ignoredCpuMs: [0.24, 'ms', 'CPU time of `worker` for an own change, measured at full load'],
  cpuTarget: [0.6, 'of the CPU', 'target load of a task, `web.cpuPercent`'],
  webLogBytes: [360, 'bytes', 'log line of a notification, measured'],
  processedLogBytes: [420, 'bytes', 'log line of a processor, measured'],
  ignoredLogBytes: [360, 'bytes', 'log line of an own change, measured'],
  logOverheadBytes: [26, 'bytes', 'added to each line by CloudWatch'],
  metricLogBytes: [3000, 'bytes', 'metric lines of a task in a minute'],
  insightsLogBytes: [8000, 'bytes', 'lines of Container Insights in a minute'],
  logCompression: [0.15, 'of ingested bytes', 'stored by CloudWatch, according to its price list'],
  customMetrics: [
    23,
    'metrics',
    'those of docs/operations.md, with two processors and three reasons, and one of the firewall'
  ],
  insightsMetrics: [
    48,
    'metrics',
    'Container Insights: 8 of the cluster, 11 of each service, 6 of each task definition; not checked'
  ],
  alarmMetrics: [
    49,
    'metrics',
    'of 15 alarms, of two for deployments, and of scaling; a formula counts once for each metric'
  ],
  viewers: [10, 'viewers', 'open activity pages or feeds; assumed'],
  viewerHours: [160, 'hours', 'in which somebody watches: eight hours of each working day; assumed'],
  viewerMessageBytes: [650, 'bytes', 'message of the live feed, measured; two for each event and viewer'],
  activityMetrics: [
    17,
    'metrics',
    'Container Insights for one more service and task definition; not checked'
  ],
  activityAlarmMetrics: [4, 'metrics', 'of the three alarms of `activity`'],
  cloudinaryBytesOut: [1500, 'bytes a call', 'to Cloudinary, over kept-alive connections'],
  cloudinaryBytesIn: [2000, 'bytes a call', 'from Cloudinary'],
  awsBytes: [9000, 'bytes for each event', 'to SQS, CloudWatch and Secrets Manager; DynamoDB is free'],
  blueprintMs: [700, 'ms', 'Lambda waits for a call to Cloudinary on a new connection; assumed'],
  blueprintGb: [0.125, 'GB', "default of the blueprint's template"],
  blueprintLogBytes: [4500, 'bytes', 'the whole request, its context, and three lines of Lambda; assumed']
} as const satisfies Record<string, Input>

export type InputName = keyof typeof TRAFFIC

export type Traffic = { readonly [Name in InputName]: number }

export const DEFAULT_TRAFFIC: Traffic = Object.fromEntries(
  Object.entries(TRAFFIC).map(([name, [value]]) => [name, value])
) as Record<InputName, number>
