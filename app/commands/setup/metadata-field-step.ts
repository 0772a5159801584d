import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { createField, fieldTypeOf } from '../../cloudinary/metadata-fields.ts'
import type { MetadataFieldDefinition, Processor } from '../../processor.ts'
import type { Step } from './setup-step.ts'

/** The metadata fields that processors cannot do without, each once for each type that it is wanted in. */
export function neededFields(processors: readonly Processor[]): MetadataFieldDefinition[] {
  const fields = processors.flatMap(({ metadataFields = [] }) => metadataFields)
  return fields.filter(
    (field, index) =>
      fields.findIndex((other) => other.external_id === field.external_id && other.type === field.type) ===
      index
  )
}

/**
 * What is to be done about a metadata field. A field is never changed: its type cannot be, and the rest belongs to the
 * people who use it.
 *
 * @throws {CloudinaryError}
 */
export async function fieldStep(client: CloudinaryClient, field: MetadataFieldDefinition): Promise<Step> {
  const { external_id: id, type } = field
  const about = { subject: 'field', what: `${id} (${type})` } as const
  const found = await fieldTypeOf(client, id)
  if (found === undefined) return { ...about, state: 'create', apply: () => createField(client, field) }
  if (found === type) return { ...about, state: 'exists' }
  return {
    ...about,
    state: 'fault',
    note: `it is there with type ${found}; give the processor another field in listener.config.ts, or delete this one in Cloudinary`
  }
}
