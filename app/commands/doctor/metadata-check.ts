import { commandLine } from '../../own-command.ts'
import type { Finding, Processor } from '../../processor.ts'
import { fieldStep, neededFields } from '../setup/metadata-field-step.ts'
import type { SetupStep } from '../setup/setup-step.ts'
import { type Check, fault, ok } from './check.ts'
import { type CloudOptions, eachCloud } from './each-cloud.ts'

export interface MetadataOptions extends CloudOptions {
  processors: readonly Processor[]
}

/** Checks that the metadata fields of the processors exist, with the right type. */
export const metadata = (options: MetadataOptions): Check => ({
  subject: 'metadata',
  run(signal) {
    const fields = neededFields(options.processors)
    return eachCloud(options, signal, async (client) =>
      (await Promise.all(fields.map((field) => fieldStep(client, field)))).map(findingOf)
    )
  }
})

function findingOf(step: SetupStep): Finding {
  if (step.state === 'exists') return ok(`${step.what} exists`)
  return fault(
    step.state === 'fault'
      ? `${step.what}: ${step.note}`
      : `${step.what} does not exist; run: ${commandLine('setup')}`
  )
}
