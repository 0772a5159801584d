import { type Logger, pino } from 'pino'
import { readConfig } from '../config.ts'
import { Environments } from '../credentials/environments.ts'
import { fromUrl } from '../credentials/secret-source.ts'
import { Ingest, type IngestOptions } from '../ingest/ingest.ts'
import { defineListener } from '../listener-config/define-listener.ts'
import { examplesOf, readRequirements } from '../listener-config/requirements.ts'
import { SERIALIZERS } from '../logger.ts'
import { NO_METRICS } from '../metrics/metrics.ts'
import type { Listener } from '../processor.ts'
import { DeadLetterHooks } from '../worker/dead-letter-hooks.ts'
import type { EventHandlerOptions } from '../worker/event-handler.ts'
import { PayloadCheck } from '../worker/payload-check.ts'
import { LOCAL_CLOUDINARY } from './defaults.ts'
import { fakeClients } from './fake-clients.ts'
import type { FakeCloudinary } from './fake-cloudinary.ts'
import { memoryJournal } from './memory-journal.ts'
import { MemoryQueue } from './memory-queue.ts'
import { memoryState } from './memory-state.ts'

export type LogLine = { level: string; msg: string; [field: string]: unknown }

export interface TestWiringOptions {
  /** Environment variables. Missing ones default to the `example` of the processor that requires them. */
  variables: Record<string, string>
  cloudinary: FakeCloudinary
  /** Stores the events of a notification. */
  store: IngestOptions['sender']['store']
  /** Milliseconds since the epoch. */
  clock: () => number
  /** A number from 0 up to 1. */
  random: () => number
}

/** A host that cannot exist (RFC 6761), so calls that the fake does not answer fail. */
const CLOUDINARY_URL =
  `cloudinary://${LOCAL_CLOUDINARY.apiKey}:${LOCAL_CLOUDINARY.apiSecret}@${LOCAL_CLOUDINARY.cloudName}` +
  '?upload_prefix=http://cloudinary.invalid'

/**
 * Wires the parts of a web task and a worker in memory.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID; CONFIG_INVALID for a missing variable
 */
export function wireInMemory(listener: Listener, options: TestWiringOptions) {
  const { cloudinary, clock, random } = options
  const { processors } = defineListener(listener)
  const examples = examplesOf(processors.flatMap(({ requires = [] }) => requires))
  const variables = { ...examples, ...options.variables }
  const config = readRequirements(processors, readConfig([], variables), variables)
  const lines: LogLine[] = []
  const log = createLog(lines)
  const environments = new Environments({ source: fromUrl(CLOUDINARY_URL), log })
  const queue = new MemoryQueue(clock)
  const { journal, entries } = memoryJournal(clock)
  const state = memoryState()
  const ingest = new Ingest({
    environments,
    sender: { store: options.store },
    metrics: NO_METRICS,
    toleranceSeconds: 7200,
    clock
  })
  const hooks = new DeadLetterHooks({ processors, config, log })
  const handling: EventHandlerOptions = {
    processors,
    config,
    clients: fakeClients(cloudinary, { environments, clock, random }),
    environments,
    journal,
    state: state.store,
    deadLetters: queue,
    payloadCheck: new PayloadCheck({ metrics: NO_METRICS, clock }),
    onDeadLetter: (event, letter) => hooks.call(event, letter),
    log,
    metrics: NO_METRICS,
    clock,
    random
  }
  return { environments, queue, entries, state: state.entries, ingest, handling, lines }
}

function createLog(lines: LogLine[]): Logger {
  return pino(
    {
      level: 'debug',
      base: null,
      timestamp: false,
      formatters: { level: (level) => ({ level }) },
      serializers: SERIALIZERS
    },
    { write: (line) => void lines.push(JSON.parse(line)) }
  )
}
