import { setTimeout as pause } from 'node:timers/promises'
import { measure } from './measure.ts'
import type { InstantStandIns, MeasuredProcess } from './processes.ts'
import type { Figures } from './sections/section.ts'
import type { QueuedMessage } from './stand-ins/instructions.ts'

/** Time until as many messages are in flight as the consumer takes, in milliseconds. */
const SETTLE_MS = 1500
const POLL_MS = 20
const DRAIN_MS = 15_000

export interface Consumption {
  queue: string
  messages: QueuedMessage[]
  milliseconds: number
}

/** Measures the consumers of a queue that never runs empty. */
export async function consume(
  consumers: readonly MeasuredProcess[],
  standIns: InstantStandIns,
  { queue, messages, milliseconds }: Consumption
): Promise<Figures> {
  standIns.generate(queue, messages)
  await pause(SETTLE_MS)
  const before = await standIns.count(queue)
  const { usage } = await measure(consumers, standIns, () => pause(milliseconds))
  const after = await standIns.count(queue)
  await drain(standIns, queue)
  const events = after.deleted - before.deleted
  return {
    perSecond: events / usage.seconds,
    cpuUs: (usage.cpuSeconds * 1e6) / events,
    cores: usage.cpuSeconds / usage.seconds,
    sqsCalls: (after.sqsCalls - before.sqsCalls) / events,
    journalCalls: (after.journalCalls - before.journalCalls) / events,
    memoryMb: usage.memoryMb,
    standInCores: usage.standInSeconds / usage.seconds
  }
}

/** Empties a queue, and resolves when all received messages are deleted, or after 15 s. */
export async function drain(standIns: InstantStandIns, queue: string): Promise<void> {
  standIns.generate(queue, [])
  // the response of a receive that timed out is lost
  for (const end = performance.now() + DRAIN_MS; performance.now() < end; await pause(POLL_MS)) {
    const { received, deleted } = await standIns.count(queue)
    if (received === deleted) return
  }
}
