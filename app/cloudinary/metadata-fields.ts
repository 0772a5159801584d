import type { MetadataFieldDefinition } from '../processor.ts'
import type { CloudinaryClient } from './client.ts'
import { CloudinaryError } from './cloudinary-error.ts'

/** A field's type as Cloudinary has it, which may be one that no processor needs. */
export type FieldType = MetadataFieldDefinition['type'] | 'date' | 'enum' | 'set'

/**
 * What type a structured metadata field has; undefined where there is no such field. One call of the Admin API. (The
 * SDK's `list_metadata_fields` drops its options, and so cannot be told whom to call.)
 *
 * @throws {CloudinaryError}
 */
export async function fieldTypeOf(
  client: CloudinaryClient,
  externalId: string
): Promise<FieldType | undefined> {
  try {
    const field = await client.call('read metadata field', (sdk, options) =>
      sdk.api.metadata_field_by_field_id(externalId, options)
    )
    return field.type as FieldType
  } catch (error) {
    if (error instanceof CloudinaryError && error.code === 'CLOUDINARY_NOT_FOUND') return undefined
    throw error
  }
}

/** Creates a structured metadata field: one call of the Admin API. @throws {CloudinaryError} */
export async function createField(client: CloudinaryClient, field: MetadataFieldDefinition): Promise<void> {
  await client.call('create metadata field', (sdk, options) => sdk.api.add_metadata_field(field, options))
}
