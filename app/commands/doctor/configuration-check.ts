import { type Check, fault, ok } from './doctor.ts'

export interface ConfigurationOptions {
  /** One line for each variable that is bad or missing. */
  faults: readonly string[]
  /** Of AWS; undefined where none is set. */
  region: string | undefined
}

const NO_REGION = 'AWS_REGION is not set; it must be the region of the queue, such as eu-west-1'

/** Every variable has a value it may have, and the AWS SDK knows its region. */
export const configuration = ({ faults, region }: ConfigurationOptions): Check => ({
  subject: 'configuration',
  async run() {
    const found = [...faults, ...(region ? [] : [NO_REGION])]
    return found.length > 0 ? found.map(fault) : [ok(`every variable is valid; AWS region ${region}`)]
  }
})
