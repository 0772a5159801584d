import { consume } from '../consume.ts'
import { heavyTailed } from '../messages.ts'
import { type MeasuredProcess, startRole } from '../processes.ts'
import type { Context, Run, RunResult, Section } from './section.ts'
import { CONSUMER_COLUMNS, WAITING_CONFIG } from './worker.ts'

const NUMBERS = [1, 2, 4]

async function open({ standIns, keep }: Context): Promise<Run> {
  const messages = heavyTailed()
  const fleets: { number: number; queue: string; workers: MeasuredProcess[] }[] = []
  for (const number of NUMBERS) {
    const queue = `workers-${number}`
    const starting = Array.from({ length: number }, () =>
      keep(startRole('worker', standIns, { queue, config: WAITING_CONFIG }))
    )
    fleets.push({ number, queue, workers: await Promise.all(starting) })
  }

  return async (milliseconds) => {
    const results: RunResult = {}
    let one = Number.NaN
    for (const { number, queue, workers } of fleets) {
      const figures = await consume(workers, standIns, { queue, messages, milliseconds })
      if (number === 1) one = figures.cpuUs!
      results[number === 1 ? '1 worker' : `${number} workers`] = {
        ...figures,
        cpuRatio: figures.cpuUs! / one
      }
    }
    return results
  }
}

/** Several workers on one queue. */
export const workers: Section = {
  name: 'workers',
  cases: 'workers',
  columns: [...CONSUMER_COLUMNS, { figure: 'cpuRatio', heading: 'CPU per event, × one worker', digits: 2 }],
  open
}
