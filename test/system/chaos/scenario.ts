import type { CloudinaryStandIn } from '../../../dev/cloudinary/cloudinary-server.ts'
import type { EmbeddedSqs } from '../../../dev/embedded-sqs.ts'
import type { RoleProcess } from '../../../dev/start/role-process.ts'
import type { FaultProxy } from '../../support/fault-proxy.ts'
import type { Load, LoadOptions } from './load.ts'

/** A system under load, with controls to inject faults. */
export interface Chaos {
  cloudinary: CloudinaryStandIn
  queue: EmbeddedSqs
  web: RoleProcess
  workers: RoleProcess[]
  /** Proxies between the roles and AWS. */
  sqs: FaultProxy
  dynamoDb: FaultProxy
  load: Load
  /** Resolves when a fraction (0 to 1) of the events is processed. */
  processed: (part: number) => Promise<void>
  /** Sends a signal to a role; resolves when it has restarted and is ready. */
  signal: (role: 'web' | 'worker', child: RoleProcess, signal: 'SIGKILL' | 'SIGTERM') => Promise<void>
}

export interface Scenario {
  fault: string
  /** Takes minutes: runs only with `--long` or `--only`. */
  long?: true
  /** Number of events, if the fault needs a certain number. */
  events?: number
  load?: Pick<LoadOptions, 'deliveries' | 'uploadedOnly' | 'further'>
  /** Events in flight in one worker. */
  concurrency?: number
  /** SQS does not deduplicate from the third delivery on. */
  forgets?: boolean
  /** Injects the fault during the load. */
  inject?: (chaos: Chaos) => Promise<void>
  /** Expected dead letters, each as `ASSET PROCESSOR CODE`. (Default: none) */
  deadLetters?: readonly string[]
  /** Maximum number of repeated effects: one per kill of a worker and event in flight. */
  duplicatesAllowed?: number
  /** No event may be retried. */
  withoutDelay?: boolean
  /** Time limit to come to rest, in seconds. */
  withinSeconds?: number
}
