import type { CloudinaryStandIn } from '../../../dev/cloudinary/server.ts'
import type { EmbeddedSqs } from '../../../dev/sqs.ts'
import type { Child } from '../../../dev/start/child.ts'
import type { FaultProxy } from '../../support/fault-proxy.ts'
import type { Load, LoadOptions } from './load.ts'

/** A system under load, and what can be done to it. */
export interface Chaos {
  cloudinary: CloudinaryStandIn
  queue: EmbeddedSqs
  web: Child
  workers: Child[]
  /** Stand between the roles and AWS. */
  sqs: FaultProxy
  dynamoDb: FaultProxy
  load: Load
  /** Resolves when a part of the events, from 0 to 1, is processed. */
  processed: (part: number) => Promise<void>
  /** Sends a role a signal; resolves when it has been started again and is ready. */
  signal: (role: 'web' | 'worker', child: Child, signal: 'SIGKILL' | 'SIGTERM') => Promise<void>
}

export interface Scenario {
  fault: string
  /** Takes minutes, and is run when asked for. */
  long?: true
  /** How many events, where the fault asks for so many. */
  events?: number
  load?: Pick<LoadOptions, 'deliveries' | 'uploadedOnly' | 'further'>
  /** Events in flight in one worker. */
  concurrency?: number
  /** Of the notifications that are sent more than twice, SQS has forgotten the first by the third. */
  forgets?: boolean
  /** Does the harm, beside the load. */
  strike?: (chaos: Chaos) => Promise<void>
  /** Dead letters that there must be, each as `ASSET PROCESSOR CODE`; none where it is left out. */
  deadLetters?: readonly string[]
  /** Effects that may be had again: one for each event in flight whenever a worker is killed. */
  duplicatesAllowed?: number
  /** No event may fail in passing, and so have to wait. */
  withoutDelay?: boolean
  /** By when it must be at rest, in seconds. */
  withinSeconds?: number
}
