import { randomBytes } from 'node:crypto'
import { ApiError } from './api-error.ts'

export type MetadataValue = string | number | string[]

export const METADATA_TYPES = ['string', 'integer', 'date', 'enum', 'set'] as const

/** A structured metadata field's definition, as the Admin API writes it. */
export interface MetadataField {
  type: (typeof METADATA_TYPES)[number]
  external_id: string
  label: string
  mandatory: boolean
  default_value: unknown
  validation: unknown
  datasource?: { values: { external_id: string; value: string; state?: string }[] }
}

/** The structured metadata fields of one cloud, and the rules for their values. */
export class MetadataFields {
  readonly #fields = new Map<string, MetadataField>()

  list(): MetadataField[] {
    return [...this.#fields.values()]
  }

  /** @throws {ApiError} 404 */
  get(externalId: string): MetadataField {
    const field = this.#fields.get(externalId)
    if (!field) throw new ApiError(404, `External ID ${externalId} doesn't exist`)
    return field
  }

  /** @throws {ApiError} 400 for an invalid definition, 409 if the external ID exists */
  create(definition: Partial<MetadataField>): MetadataField {
    const externalId = definition.external_id ?? randomBytes(10).toString('hex')
    if (this.#fields.has(externalId)) throw new ApiError(409, `External ID ${externalId} already exists`)
    const field = complete(definition, externalId)
    this.#fields.set(externalId, field)
    return field
  }

  /** Changes the given fields, except type and external ID. @throws {ApiError} 400 or 404 */
  update(externalId: string, changes: Partial<MetadataField>): MetadataField {
    const before = this.get(externalId)
    const field = complete({ ...before, ...changes, type: before.type }, externalId)
    this.#fields.set(externalId, field)
    return field
  }

  delete(externalId: string): void {
    this.get(externalId)
    this.#fields.delete(externalId)
  }

  /**
   * Validates values and converts them to the types of their fields. Null clears a value.
   *
   * @throws {ApiError} 400 for an unknown field or an invalid value
   */
  parse(values: Record<string, unknown>): Record<string, MetadataValue | null> {
    return Object.fromEntries(
      Object.entries(values).map(([externalId, value]) => {
        const field = this.#fields.get(externalId)
        if (!field) throw new ApiError(400, `Metadata field with external ID ${externalId} doesn't exist`)
        if (value === '' || value === null) {
          if (field.mandatory) throw new ApiError(400, `Value for metadata field ${externalId} is mandatory`)
          return [externalId, null]
        }
        const parsed = parseValue(field, value)
        if (parsed === undefined) {
          throw new ApiError(
            400,
            `Value ${JSON.stringify(value)} is invalid for metadata field ${externalId}`
          )
        }
        return [externalId, parsed]
      })
    )
  }
}

function complete(given: Partial<MetadataField>, externalId: string): MetadataField {
  const { type, label, mandatory = false, default_value = null, validation = null, datasource } = given
  if (!type || !METADATA_TYPES.includes(type))
    throw new ApiError(400, `Invalid value ${type} for parameter type`)
  if (!label) throw new ApiError(400, 'Missing required parameter - label')
  const field = { type, external_id: externalId, label, mandatory, default_value, validation }
  if (type !== 'enum' && type !== 'set') return field
  if (!Array.isArray(datasource?.values)) throw new ApiError(400, 'Missing required parameter - datasource')
  const entries = datasource.values.map((entry) => ({
    external_id: entry.external_id ?? randomBytes(10).toString('hex'),
    value: entry.value,
    state: entry.state ?? 'active'
  }))
  return { ...field, datasource: { values: entries } }
}

/** Returns the value in the type of its field; undefined if it is invalid. */
function parseValue(field: MetadataField, value: unknown): MetadataValue | undefined {
  switch (field.type) {
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'integer':
      return /^-?\d+$/.test(String(value)) ? Number(value) : undefined
    case 'date':
      return typeof value === 'string' && isDay(value) ? value : undefined
    case 'enum':
      return typeof value === 'string' && isListed(field, value) ? value : undefined
    case 'set': {
      const values = typeof value === 'string' ? parseList(value) : value
      return Array.isArray(values) && values.every((one) => isListed(field, one)) ? values : undefined
    }
  }
}

function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))
}

function isListed(field: MetadataField, value: unknown): boolean {
  return field.datasource!.values.some((entry) => entry.external_id === value && entry.state === 'active')
}

function parseList(text: string): unknown {
  if (!text.startsWith('[')) return [text]
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
