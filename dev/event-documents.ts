import { z } from 'zod'
import { KNOWN_TYPES, type KnownType } from '../app/ingest/event-types.ts'
import { BODIES, EVIDENCE } from '../app/ingest/payloads/payload-fields.ts'
import { PAYLOADS } from '../app/ingest/payloads/payloads.ts'
import { SAMPLE_NAMES, sampleNotification } from '../app/testing/samples.ts'

/** The directory that holds only generated documents. */
export const EVENTS_DIRECTORY = 'docs/events'

/** The part of a JSON Schema that the tables show. */
interface Schema {
  type?: string | string[]
  const?: unknown
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  additionalProperties?: Schema
  required?: string[]
  description?: string
}

interface About {
  description: string
  body: keyof typeof BODIES
  evidence: keyof typeof EVIDENCE
}

/** Time of the sample bodies. */
const NOW = new Date('2026-06-01T12:00:00.000Z')

const NOTE = '<!-- npm run docs writes this from app/ingest/payloads/ and app/testing/samples/ -->'

/** Returns the generated documents of the event types: their texts by file name. */
export function eventDocuments(): Map<string, string> {
  const documents = new Map([['README.md', index()]])
  for (const type of KNOWN_TYPES) {
    documents.set(`${type}.md`, page(type))
    documents.set(`${type}.schema.json`, `${JSON.stringify(z.toJSONSchema(PAYLOADS[type]), null, 2)}\n`)
  }
  return documents
}

function aboutOf(type: KnownType): About {
  const { description, 'x-body': body, 'x-evidence': evidence } = PAYLOADS[type].meta()!
  return { description, body, evidence } as About
}

function index(): string {
  const rows = KNOWN_TYPES.map((type) => {
    const { description, body, evidence } = aboutOf(type)
    return `| [\`${type}\`](${type}.md) | ${description} | ${body} | ${evidence} |`
  })
  return `${NOTE}

# Event types

\`event.payload\` by type: a page with fields and a sample, and a JSON Schema. In TypeScript,
\`on\` determines the type of the payload ([processors](../processors.md#the-event)).

| type | sent when | body | known from |
| --- | --- | --- | --- |
${rows.join('\n')}

An event of another type, or of a body that is not JSON, has the type \`unknown\`; its payload has no
schema.

| body | |
| --- | --- |
${Object.entries(BODIES)
  .map(([name, meaning]) => `| ${name} | ${meaning} |`)
  .join('\n')}

| known from | |
| --- | --- |
${Object.entries(EVIDENCE)
  .map(([name, meaning]) => `| ${name} | ${meaning} |`)
  .join('\n')}

- Cloudinary adds fields over time: schemas accept fields that they do not list.
- A field is optional if a captured delivery lacks it, or if it is not certain that every delivery
  has it.
- A payload that does not fit its schema is processed all the same, and counted as \`SchemaMismatch\`. A
  log line with \`SCHEMA_MISMATCH\` names the fields, once per type and hour. Please report it.
- Events that \`reconcile\` found (\`event.reconciled\`) lack what a search does not know, such as
  \`added\` and \`removed\`. They are not compared with the schemas.
`
}

function page(type: KnownType): string {
  const { description, body, evidence } = aboutOf(type)
  return `${NOTE}

# ${type}

${description}

| | |
| --- | --- |
| body | ${BODIES[body]} |
| known from | ${EVIDENCE[evidence]} |
| schema of the payload | [${type}.schema.json](${type}.schema.json) |

## Fields of the payload

| field | type | | meaning |
| --- | --- | --- | --- |
${fieldRows(z.toJSONSchema(PAYLOADS[type]) as Schema).join('\n')}
${sampleSection(type)}`
}

/** Returns nothing for a type that Cloudinary does not send. */
function sampleSection(type: KnownType): string {
  const sampled = SAMPLE_NAMES.find((each) => each.type === type)
  if (!sampled) return ''
  const variants = sampled.variants.map((name) => `\`${name}\``).join(', ')
  return `
## Sample

\`npm run send -- ${type}\` sends this body. Variants: ${variants}.

\`\`\`json
${JSON.stringify(sampleNotification(type, { now: NOW }), null, 2)}
\`\`\`
`
}

/** Returns a table row for each field, and for the fields in it. */
function fieldRows({ properties = {}, required = [] }: Schema, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const inner = field.anyOf?.find(({ type }) => type !== 'null') ?? field
    const presence = required.includes(name) ? '' : 'optional'
    const path = `${prefix}${name}`
    const row = `| \`${path}\` | ${typeOf(field)} | ${presence} | ${field.description ?? inner.description ?? ''} |`
    return [row, ...fieldRows(inner, `${path}.`), ...fieldRows(inner.items ?? {}, `${path}[].`)]
  })
}

function typeOf({ type, const: value, anyOf, items, properties, additionalProperties }: Schema): string {
  if (value !== undefined) return `\`${JSON.stringify(value)}\``
  if (anyOf) return anyOf.map(typeOf).join(' or ')
  if (items) return items.anyOf ? `list of (${typeOf(items)})` : `list of ${typeOf(items)}`
  if (type === 'object' && !properties && additionalProperties) {
    const values = typeOf(additionalProperties)
    return values === 'any' ? 'object' : `object of ${values}`
  }
  return Array.isArray(type) ? type.join(' or ') : (type ?? 'any')
}
