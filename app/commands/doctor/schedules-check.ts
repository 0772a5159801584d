import type { State } from '../../journal/processor-state.ts'
import { commandLine } from '../../own-command.ts'
import type { Finding } from '../../processor.ts'
import { lastSlot, nextSlot } from '../../schedules/cron.ts'
import type { Schedule } from '../../schedules/schedule.ts'
import { loadProgress } from '../schedules/schedule-progress.ts'
import { type Check, ok, warn } from './check.ts'

export interface SchedulesOptions {
  schedules: readonly Schedule[]
  cloudNames: readonly string[]
  /** State of the command `schedules`. */
  state: State
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Tolerance of a late run: a run takes time, and EventBridge Scheduler may start it late. */
const PATIENCE_MS = 3_600_000

const RUN_IT = `run \`${commandLine('schedules')}\` every few minutes (on AWS: the setting schedulesEvery)`

/** Checks that the schedules run. */
export const schedules = ({ schedules: all, cloudNames, state, clock }: SchedulesOptions): Check => ({
  subject: 'schedules',
  async run() {
    const pairs = cloudNames.flatMap((cloudName) =>
      all
        .filter(({ environments }) => environments?.includes(cloudName) ?? true)
        .map((schedule) => ({ cloudName, schedule }))
    )
    return Promise.all(
      pairs.map(async ({ cloudName, schedule }) => {
        const progress = await loadProgress(state, cloudName, schedule)
        const { level, message } = findingOf(schedule, progress?.through, clock())
        return { level, message: `${cloudName}: ${schedule.name}: ${message}` }
      })
    )
  }
})

function findingOf(schedule: Schedule, through: string | undefined, now: number): Finding {
  if (through === undefined) return warn(`never ran; ${RUN_IT}`)
  const due = lastSlot(schedule, now - PATIENCE_MS)?.toISOString()
  if (due !== undefined && due > through) return warn(`has been due since ${due}; ${RUN_IT}`)
  const next = nextSlot(schedule, now)
  return ok(next ? `next at ${next.toISOString()}` : 'is never due again')
}
