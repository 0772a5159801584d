import type { RoleProcess } from './role-process.ts'
import type { RoleStarter } from './role-starter.ts'

export interface ScheduleProcessOptions {
  roles: Pick<RoleStarter, 'start'>
  /**
   * True to run the schedules at once too, so that their journey is seen. False with the user's own
   * Cloudinary.
   */
  immediately: boolean
}

/** Interval at which the command looks for schedules that are due, in seconds. */
const EVERY_SECONDS = 60

/** The command `schedules`, which runs while the listener has schedules. */
export class ScheduleProcess {
  readonly #options: ScheduleProcessOptions
  #process: RoleProcess | undefined

  constructor(options: ScheduleProcessOptions) {
    this.#options = options
  }

  /**
   * Starts the command with the current configuration, then stops the previous one.
   *
   * @param schedules names of the schedules
   * @throws {Error} if it exits before it is ready
   */
  async restart(schedules: readonly string[]): Promise<void> {
    const { roles, immediately } = this.#options
    const previous = this.#process
    this.#process = undefined
    if (schedules.length > 0) {
      const args = ['--every', String(EVERY_SECONDS), ...(immediately ? ['--now'] : [])]
      ;[this.#process] = await roles.start('schedules', { args })
    }
    void previous?.stop()
  }
}
