import type { Config } from '../../config.ts'
import { missingVariables } from '../../listener-config/requirements.ts'
import type { Listener } from '../../processor.ts'
import { type Check, fault, ok, warn } from './doctor.ts'

export interface ProcessorsOptions {
  path: string
  /** Throws what says why it cannot be loaded. */
  load: (path: string) => Promise<Listener>
  /** What of the environment is good. */
  config: Partial<Config>
}

/** The file a user edits loads, its processors have the variables they require, and it says which there are. */
export const processors = ({ path, load, config }: ProcessorsOptions): Check => ({
  subject: 'processors',
  async run() {
    const { processors } = await load(path)
    const faults = missingVariables(processors, config)
    if (faults.length > 0) return faults.map((line) => fault(line))
    const names = processors.map(({ name }) => name)
    if (names.length === 0) return [warn(`${path} has no processors: every event is ignored. Add one.`)]
    return [ok(`${path}: ${names.join(', ')}`)]
  }
})
