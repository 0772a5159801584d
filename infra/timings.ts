import { RETENTION_DAYS } from '../app/journal/journal-table.ts'

/** A time that depends on other times. */
export interface Timing {
  seconds: number
  /** The component to which the time applies: an AWS resource, a role, or Cloudinary. */
  at: string
  meaning: string
  /** How the time must relate to other times. */
  constraint: string
}

/**
 * All times that depend on each other, in the order of a notification's path. `npm run docs` writes the table
 * in docs/deploy.md from them. A test compares them with the listener's code, the templates, and each other.
 */
export const TIMINGS = {
  cloudinary: {
    seconds: 20,
    at: 'Cloudinary',
    meaning: 'response timeout; retries follow after 3, 6 and 9 minutes',
    constraint: 'longer than the 8 s after which `web` answers 503'
  },
  webRequest: {
    seconds: 30,
    at: 'web',
    meaning: 'maximum time to receive a request',
    constraint: "longer than Cloudinary's 20 s, shorter than the load balancer's 60 s"
  },
  loadBalancerIdle: {
    seconds: 60,
    at: 'load balancer',
    meaning: 'idle timeout of a connection',
    constraint: 'longer than the 30 s of a request'
  },
  webKeepAlive: {
    seconds: 65,
    at: 'web',
    meaning: 'keep-alive timeout of a connection',
    constraint: "longer than the load balancer's 60 s, or it would reuse connections that `web` closes"
  },
  healthCheckInterval: {
    seconds: 10,
    at: 'target group',
    meaning: 'interval of health checks; three failures count',
    constraint: 'longer than the timeout of a health check'
  },
  healthCheckTimeout: {
    seconds: 5,
    at: 'target group',
    meaning: 'timeout of a health check',
    constraint: 'longer than the 1 s that the event loop may be late before `web` answers 503'
  },
  healthCheckGrace: {
    seconds: 60,
    at: 'services `web` and `activity`',
    meaning: 'grace period of a new task before failed health checks count',
    constraint: 'longer than the 6 s that reading the secret may take'
  },
  deregistration: {
    seconds: 30,
    at: 'target group',
    meaning: 'time for open requests when a task is removed; SIGTERM follows',
    constraint: "longer than Cloudinary's 20 s"
  },
  webDrain: {
    seconds: 30,
    at: 'web',
    meaning: 'maximum time from SIGTERM to exit',
    constraint: 'longer than the 8 s that SQS may take to store'
  },
  webStop: {
    seconds: 35,
    at: 'task `web`',
    meaning: 'time from SIGTERM to SIGKILL',
    constraint: 'longer than the 30 s of `web`'
  },
  workerGrace: {
    seconds: 60,
    at: 'worker',
    meaning: 'time for running handlers after SIGTERM, before their `signal` aborts',
    constraint: 'shorter than the 100 s of `worker`'
  },
  workerDrain: {
    seconds: 100,
    at: 'worker',
    meaning: 'maximum time from SIGTERM to exit',
    constraint: 'longer than the 60 s of grace plus the time to return messages to the queue'
  },
  workerStop: {
    seconds: 110,
    at: 'task `worker`',
    meaning: 'time from SIGTERM to SIGKILL',
    constraint: 'longer than the 100 s of `worker`; Fargate allows 120 s'
  },
  visibility: {
    seconds: 60,
    at: 'queue, worker',
    meaning: 'visibility timeout of a message in flight; a heartbeat extends it every 20 s',
    constraint: 'the same in both; an asset waits this long when its worker is killed'
  },
  longestBackoff: {
    seconds: 900,
    at: 'worker',
    meaning: 'maximum backoff before a retry',
    constraint: "shorter than 12 h, SQS's maximum visibility timeout"
  },
  retention: {
    seconds: 14 * 86_400,
    at: 'queue, dead-letter queue',
    meaning: "retention of messages, SQS's maximum",
    constraint: 'longer than any outage'
  },
  journalRetention: {
    seconds: RETENTION_DAYS * 86_400,
    at: 'journal',
    meaning: 'TTL of an event',
    constraint: 'longer than 14 days in the queue plus 14 days as a dead letter'
  },
  failover: {
    seconds: 90,
    at: 'Route 53',
    meaning: 'time until a failed region gets no traffic: 3 checks, 10 s apart, plus 60 s of DNS TTL',
    constraint: "shorter than the 3 minutes to Cloudinary's first retry"
  }
} as const satisfies Record<string, Timing>

/** Route 53 health check: interval in seconds, failures before failover, and TTL of the record in seconds. */
export const FAILOVER_CHECK = { interval: 10, failures: 3, recordTtl: 60 } as const

/** Port of `web` and `activity` in their containers. */
export const PORT = 8080

/**
 * Receives before SQS itself dead-letters a message. The worker counts attempts; not every receive is one.
 */
export const MAX_RECEIVES = 1000
