import type { Config } from '../../config.ts'
import { missingVariables } from '../../listener-config/requirements.ts'
import type { Listener } from '../../processor.ts'
import { type Check, fault, ok, warn } from './check.ts'

export interface ProcessorsOptions {
  path: string
  load: (path: string) => Promise<Listener>
  /** The valid variables. */
  config: Partial<Config>
}

/** Checks that the listener file loads and that its processors have the variables they require. */
export const processors = ({ path, load, config }: ProcessorsOptions): Check => ({
  subject: 'processors',
  async run() {
    const { processors } = await load(path)
    const errors = missingVariables(processors, config)
    if (errors.length > 0) return errors.map(fault)
    const names = processors.map(({ name }) => name)
    if (names.length === 0) return [warn(`${path} has no processors, so all events are ignored; add one`)]
    return [ok(`${path}: ${names.join(', ')}`)]
  }
})
