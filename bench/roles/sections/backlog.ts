import { setTimeout as pause } from 'node:timers/promises'
import { drain } from '../consume.ts'
import { measure } from '../measure.ts'
import { messagesOf } from '../messages.ts'
import { startRole } from '../processes.ts'
import { type Context, type RunResult, type Section, showProgress } from './section.ts'
import { WAITING_CONFIG } from './worker.ts'

const QUEUE = 'backlog'
const SAMPLE_MS = 5000
const MAX_ROWS = 12

export interface BacklogOptions {
  /** Number of processed events after which the section ends. */
  events: number
  /** Maximum duration of the section, in milliseconds. */
  milliseconds: number
}

/** The memory of a worker over time, on a queue that never runs empty. */
export const backlog = ({ events, milliseconds }: BacklogOptions): Section => ({
  name: 'backlog',
  cases: 'after',
  isSeries: true,
  columns: [
    { figure: 'events', heading: 'events so far' },
    { figure: 'perSecond', heading: 'events/s' },
    { figure: 'cpuUs', heading: 'CPU, µs per event' },
    { figure: 'memoryMb', heading: 'RSS, MB' }
  ],
  open: async ({ standIns, keep }: Context) => {
    const worker = await keep(startRole('worker', standIns, { queue: QUEUE, config: WAITING_CONFIG }))
    return async () => {
      const samples: [string, RunResult[string]][] = []
      const startedAt = performance.now()
      standIns.generate(QUEUE, messagesOf({ type: 'upload' }))
      let done = 0
      while (done < events && performance.now() - startedAt < milliseconds) {
        const { usage } = await measure([worker], standIns, () => pause(SAMPLE_MS))
        const { deleted } = await standIns.count(QUEUE)
        const seconds = Math.round((performance.now() - startedAt) / 1000)
        const figures = {
          events: deleted,
          perSecond: (deleted - done) / usage.seconds,
          cpuUs: (usage.cpuSeconds * 1e6) / (deleted - done),
          memoryMb: usage.memoryMb
        }
        samples.push([`${seconds} s`, figures])
        showProgress(`${seconds} s`, figures)
        done = deleted
      }
      await drain(standIns, QUEUE)
      return Object.fromEntries(thin(samples))
    }
  }
})

/** Keeps some samples at even distances, and the last one. */
function thin<Sample>(samples: readonly Sample[]): Sample[] {
  const step = Math.ceil(samples.length / MAX_ROWS)
  return samples.filter((_, index) => (samples.length - 1 - index) % step === 0)
}
