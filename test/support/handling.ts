import { pino } from 'pino'
import { Breaker } from '../../app/cloudinary/breaker.ts'
import { type CallFailure, CloudinaryError } from '../../app/cloudinary/cloudinary-error.ts'
import type { AssetEvent } from '../../app/ingest/event.ts'
import type { CloudinaryClient, Processor } from '../../app/listener.ts'
import { SERIALIZERS } from '../../app/logger.ts'
import { encodeMessage } from '../../app/queue/message-codec.ts'
import { memoryJournal } from '../../app/testing/memory-journal.ts'
import { memoryState } from '../../app/testing/memory-state.ts'
import type { EventHandlerOptions } from '../../app/worker/event-handler.ts'
import { handleMessage } from '../../app/worker/message-handler.ts'
import { PayloadCheck } from '../../app/worker/payload-check.ts'
import { DEFAULT_CONFIG } from './config.ts'
import { sampleEvent } from './events.ts'
import { memoryMetrics } from './metrics.ts'

export const NOW = Date.parse('2026-06-01T12:00:10.000Z')
export const upload = sampleEvent('upload')
export const NEVER = new AbortController().signal

/** A message handler with these processors, a journal in memory and a virtual clock. */
export function buildHandler(processors: Processor[], overrides: Partial<EventHandlerOptions> = {}) {
  const time = { now: NOW }
  const { journal, entries, writes } = memoryJournal(() => time.now)
  const dead: { id: string; body: string; code: string; processor?: string | undefined }[] = []
  const lines: Record<string, unknown>[] = []
  const { metrics, counts, durations } = memoryMetrics()
  const breaker = new Breaker({ clock: () => time.now, random: () => 0 })
  const options: EventHandlerOptions = {
    processors,
    config: DEFAULT_CONFIG,
    journal,
    state: memoryState().store,
    clients: { for: () => ({}) as CloudinaryClient, breaker: () => breaker },
    environments: { isOwnKey: () => false },
    deadLetters: {
      put: async (id, body, { code, processor }) => void dead.push({ id, body, code, processor })
    },
    payloadCheck: new PayloadCheck({ metrics, clock: () => time.now }),
    metrics,
    log: pino({ serializers: SERIALIZERS }, { write: (line) => void lines.push(JSON.parse(line)) }),
    clock: () => time.now,
    random: () => 0.5,
    ...overrides
  }
  const handle = (event: AssetEvent | string = upload, signal: AbortSignal = NEVER, receiveCount = 1) => {
    const body = typeof event === 'string' ? event : encodeMessage(event)
    return handleMessage({ id: 'message-1', body, group: 'g', receiveCount }, signal, options)
  }
  /** Handles an event, and moves the clock to its redelivery. */
  const handleAndWait = async (event: AssetEvent = upload) => {
    const action = await handle(event)
    if (action.kind === 'retry') time.now += action.delaySeconds * 1000
    return action
  }
  const record = (name: string) => entries.get(upload.id)?.processors[name]
  return {
    handle,
    handleAndWait,
    record,
    entries,
    writes,
    dead,
    lines,
    counts,
    durations,
    breaker,
    time,
    entry: () => entries.get(upload.id)
  }
}

/** A processor that returns or throws the given results, run by run, and counts its runs. */
export function scripted(name: string, ...script: (string | Error)[]) {
  let runs = 0
  const processor: Processor = {
    name,
    on: ['upload'],
    async handle() {
      const next = script[Math.min(runs++, script.length - 1)]
      if (next instanceof Error) throw next
      return next
    }
  }
  return { processor, runs: () => runs }
}

export const cloudinaryError = (fault: CallFailure, status?: number) =>
  new CloudinaryError('CLOUDINARY_UNAVAILABLE', 'add tag', fault, status)
