import type { Listener } from '../../listener.ts'
import { type Check, ok, warn } from '../doctor.ts'

export interface ProcessorsOptions {
  path: string
  /** Throws what says why it cannot be loaded. */
  load: (path: string) => Promise<Listener>
}

/** The file a user edits loads, and says which processors there are. */
export const processors = ({ path, load }: ProcessorsOptions): Check => ({
  subject: 'processors',
  async run() {
    const names = (await load(path)).processors.map(({ name }) => name)
    if (names.length === 0) return [warn(`${path} has no processors: every event is ignored. Add one.`)]
    return [ok(`${path}: ${names.join(', ')}`)]
  }
})
