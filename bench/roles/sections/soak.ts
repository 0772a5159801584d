import { drain } from '../consume.ts'
import { Load } from '../load.ts'
import { measure } from '../measure.ts'
import { heavyTailed } from '../messages.ts'
import { uploads } from '../notifications.ts'
import { startRole } from '../processes.ts'
import { type Context, type RunResult, type Section, showProgress } from './section.ts'
import { WAITING_CONFIG } from './worker.ts'

const QUEUE = 'soak'
const PER_SECOND = 100
const MINUTE = { perSecond: PER_SECOND, milliseconds: 60_000 }

/** Memory and CPU of `web` and `worker` in each minute, `web` at a fixed rate and `worker` at full load. */
export const soak = (minutes: number): Section => ({
  name: 'soak',
  cases: 'minute',
  isSeries: true,
  columns: [
    { figure: 'webMb', heading: 'RSS of `web`, MB' },
    { figure: 'webUs', heading: 'CPU of `web`, µs per event' },
    { figure: 'p99', heading: 'p99 of `web`, ms', digits: 1 },
    { figure: 'refused', heading: 'refused by `web`' },
    { figure: 'workerMb', heading: 'RSS of `worker`, MB' },
    { figure: 'workerUs', heading: 'CPU of `worker`, µs per event' },
    { figure: 'perSecond', heading: 'events/s of `worker`' }
  ],
  open: async ({ standIns, keep }: Context) => {
    const web = await keep(startRole('web', standIns))
    const worker = await keep(startRole('worker', standIns, { queue: QUEUE, config: WAITING_CONFIG }))
    const load = new Load(web.url, uploads(2000, 'soak'))
    return async () => {
      const results: RunResult = {}
      standIns.generate(QUEUE, heavyTailed())
      for (let minute = 1; minute <= minutes; minute++) {
        const before = await standIns.count(QUEUE)
        const [ofWeb, ofWorker] = await Promise.all([
          measure([web], standIns, () => load.atRate(MINUTE)),
          measure([worker], standIns, async () => {
            await new Promise((resolve) => setTimeout(resolve, MINUTE.milliseconds))
            return (await standIns.count(QUEUE)).deleted - before.deleted
          })
        ])
        const figures = {
          webMb: ofWeb.usage.memoryMb,
          webUs: (ofWeb.usage.cpuSeconds * 1e6) / ofWeb.result.accepted,
          refused: ofWeb.result.refused,
          p99: ofWeb.result.p99,
          workerMb: ofWorker.usage.memoryMb,
          workerUs: (ofWorker.usage.cpuSeconds * 1e6) / ofWorker.result,
          perSecond: ofWorker.result / ofWorker.usage.seconds
        }
        results[minute] = figures
        showProgress(`minute ${minute}`, figures)
      }
      await drain(standIns, QUEUE)
      return results
    }
  }
})
