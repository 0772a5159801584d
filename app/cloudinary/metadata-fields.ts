import type { MetadataFieldDefinition } from '../processor.ts'
import type { CloudinaryClient } from './client.ts'
import { isNotFound } from './cloudinary-error.ts'

/** Types of metadata fields in Cloudinary. Processors need only some of them. */
export type FieldType = MetadataFieldDefinition['type'] | 'enum' | 'set'

/**
 * Reads the type of a structured metadata field; undefined if it does not exist. Costs one call to the Admin
 * API. (The SDK's `list_metadata_fields` cannot be used: it drops its options, including the credentials.)
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
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Creates a structured metadata field with one call to the Admin API. @throws {CloudinaryError} */
export async function createField(client: CloudinaryClient, field: MetadataFieldDefinition): Promise<void> {
  await client.call('create metadata field', (sdk, options) => sdk.api.add_metadata_field(field, options))
}
