import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { createField, fieldTypeOf } from '../../cloudinary/metadata-fields.ts'
import type { MetadataFieldDefinition, Processor } from '../../processor.ts'
import type { SetupStep } from './setup-step.ts'

/**
 * Returns the metadata fields that processors need, without duplicates. Processors may need the same field
 * with several types.
 */
export function neededFields(processors: readonly Processor[]): MetadataFieldDefinition[] {
  const fields = processors.flatMap(({ metadataFields = [] }) => metadataFields)
  return fields.filter(
    (field, index) =>
      fields.findIndex((other) => other.external_id === field.external_id && other.type === field.type) ===
      index
  )
}

/**
 * Decides what to do about a metadata field. Never changes an existing field: its type is fixed, and its
 * other properties belong to its users.
 *
 * @throws {CloudinaryError}
 */
export async function fieldStep(
  client: CloudinaryClient,
  field: MetadataFieldDefinition
): Promise<SetupStep> {
  const { external_id: id, type } = field
  const about = { subject: 'field', what: `${id} (${type})` } as const
  const found = await fieldTypeOf(client, id)
  if (found === undefined) return { ...about, state: 'create', apply: () => createField(client, field) }
  if (found === type) return { ...about, state: 'exists' }
  return {
    ...about,
    state: 'fault',
    note: `exists with type ${found}; choose another field in listener.config.ts, or delete it in Cloudinary`
  }
}
