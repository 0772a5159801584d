import { type Check, fault, ok } from './check.ts'

export interface ConfigurationOptions {
  /** One line for each invalid or missing variable. */
  configErrors: readonly string[]
  /** AWS region; undefined if none is set. */
  region: string | undefined
}

const NO_REGION = 'AWS_REGION is not set; set it to the region of the queue, such as eu-west-1'

/** Checks that all variables are valid and that the AWS SDK knows its region. */
export const configuration = ({ configErrors, region }: ConfigurationOptions): Check => ({
  subject: 'configuration',
  async run() {
    const errors = [...configErrors, ...(region ? [] : [NO_REGION])]
    return errors.length > 0 ? errors.map(fault) : [ok(`all variables are valid; AWS region ${region}`)]
  }
})
