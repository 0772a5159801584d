import type { Finding, Processor } from '../../processor.ts'
import { fieldStep, neededFields } from '../setup/metadata-field-step.ts'
import type { Step } from '../setup/setup-step.ts'
import { type Check, fault, ok } from './doctor.ts'
import { type CloudOptions, eachCloud } from './each-cloud.ts'

export interface MetadataOptions extends CloudOptions {
  processors: readonly Processor[]
}

/** The metadata fields that processors need are there, each with the right type. */
export const metadata = (options: MetadataOptions): Check => ({
  subject: 'metadata',
  run(signal) {
    const fields = neededFields(options.processors)
    return eachCloud(options, signal, async (client) =>
      (await Promise.all(fields.map((field) => fieldStep(client, field)))).map(findingOf)
    )
  }
})

function findingOf(step: Step): Finding {
  if (step.state === 'exists') return ok(`${step.what} is there`)
  return fault(
    step.state === 'fault'
      ? `${step.what}: ${step.note}`
      : `${step.what} is not there; run: node app/main.ts setup`
  )
}
