/** A time, or a number of times, that must be in step with others. */
export interface Timing {
  /** Seconds, except where `times` is set. */
  seconds: number
  /** Where it is set: a part of AWS that this app makes, a role of the listener, or Cloudinary. */
  at: string
  meaning: string
  /** What it must be in step with. */
  inStep: string
}

/**
 * All times that must be in step, in the order of a notification's way. docs/deploy.md has them as a table, written from
 * here; a test holds them against the code of the listener, the templates, and each other.
 */
export const TIMINGS = {
  cloudinary: {
    seconds: 20,
    at: 'Cloudinary',
    meaning: 'gives up waiting for an answer; it tries again after 3, 6 and 9 minutes',
    inStep: 'over the 8 s after which `web` answers 503'
  },
  webRequest: {
    seconds: 30,
    at: 'web',
    meaning: 'a request must have come in whole',
    inStep: "over Cloudinary's 20 s, under the load balancer's 60 s"
  },
  loadBalancerIdle: {
    seconds: 60,
    at: 'load balancer',
    meaning: 'closes a connection that is idle',
    inStep: 'over 30 s, which a request may take'
  },
  webKeepAlive: {
    seconds: 65,
    at: 'web',
    meaning: 'keeps an idle connection open',
    inStep: "over the load balancer's 60 s, or it would send requests into connections that close"
  },
  healthCheckInterval: {
    seconds: 10,
    at: 'target group, container',
    meaning: 'between two health checks; three failures count',
    inStep: 'an answer of the queue counts for 5 s in `/ready`'
  },
  healthCheckTimeout: {
    seconds: 5,
    at: 'target group, container',
    meaning: 'a health check must be answered',
    inStep: 'over the 2 s that `/ready` waits for the queue'
  },
  healthCheckGrace: {
    seconds: 60,
    at: 'service `web`, container',
    meaning: 'a task may take to be ready before its failures count',
    inStep: 'over the 6 s that reading the secret may take'
  },
  deregistration: {
    seconds: 30,
    at: 'target group',
    meaning: 'requests may finish when a task goes; only then it gets SIGTERM',
    inStep: "over Cloudinary's 20 s"
  },
  webDrain: {
    seconds: 30,
    at: 'web',
    meaning: 'from SIGTERM to its end',
    inStep: 'over the 8 s that SQS may take to store'
  },
  webStop: {
    seconds: 35,
    at: 'task `web`',
    meaning: 'from SIGTERM to SIGKILL',
    inStep: 'over the 30 s that `web` takes'
  },
  workerGrace: {
    seconds: 60,
    at: 'worker',
    meaning: 'handlers may go on after SIGTERM, before their signals abort',
    inStep: 'under the 100 s that `worker` takes'
  },
  workerDrain: {
    seconds: 100,
    at: 'worker',
    meaning: 'from SIGTERM to its end',
    inStep: 'over 60 s of grace and the time to hand back'
  },
  workerStop: {
    seconds: 110,
    at: 'task `worker`',
    meaning: 'from SIGTERM to SIGKILL',
    inStep: 'over the 100 s that `worker` takes; Fargate allows 120 s'
  },
  visibility: {
    seconds: 60,
    at: 'queue, worker',
    meaning: 'SQS hides a message that a worker holds; a heartbeat every 20 s extends it',
    inStep: 'both have the same; it is how long an asset waits when its worker is killed'
  },
  longestBackoff: {
    seconds: 900,
    at: 'worker',
    meaning: 'longest wait before an event is tried again',
    inStep: 'under the 12 h that SQS can hide a message'
  },
  retention: {
    seconds: 14 * 86_400,
    at: 'queue, dead-letter queue',
    meaning: 'messages are kept, the most that SQS allows',
    inStep: 'an outage may be no longer'
  },
  journalRetention: {
    seconds: 30 * 86_400,
    at: 'journal',
    meaning: 'an event is remembered, by its TTL',
    inStep: 'over 14 days in the queue and 14 more as a dead letter'
  },
  failover: {
    seconds: 90,
    at: 'Route 53',
    meaning: 'a region that fails gets no more traffic: 3 checks, 10 s apart, and the record, 60 s',
    inStep: "under the 3 minutes of Cloudinary's first retry"
  }
} as const satisfies Record<string, Timing>

/** Route 53 asks each region so often, in seconds, and leads elsewhere after so many failures. */
export const FAILOVER_CHECK = { interval: 10, failures: 3, recordTtl: 60 } as const

/** What `web` listens on in its container. */
export const PORT = 8080

/** Receives before SQS itself puts a message aside; the worker counts attempts, and hand-backs are not among them. */
export const MAXIMUM_RECEIVES = 1000
