import type { FastifyRequest } from 'fastify'
import type { Values } from './values.ts'

/** Parameters of a call, and its uploaded file. */
export interface Form {
  values: Values
  file?: { bytes: Buffer; filename: string }
}

/** A part of a multipart body, as @fastify/multipart attaches it. */
interface Part {
  type: 'field' | 'file'
  value?: unknown
  filename?: string
  toBuffer?: () => Promise<Buffer>
}

/** Reads the parameters of a call from its query and its body, multipart or URL-encoded. */
export async function readForm(request: FastifyRequest): Promise<Form> {
  const form: Form = { values: {} }
  const fields = { ...(request.query as object), ...((request.body as object | undefined) ?? {}) }
  for (const [name, given] of Object.entries(fields)) {
    const parts: unknown[] = Array.isArray(given) ? given : [given]
    const [first] = parts as [Part]
    if (first?.type === 'file' && first.toBuffer) {
      form.file = { bytes: await first.toBuffer(), filename: first.filename ?? 'file' }
      continue
    }
    const texts = parts.map((part) => String(isPart(part) ? part.value : part))
    if (name.endsWith('[]')) form.values[name.slice(0, -2)] = texts
    else form.values[name] = texts.length === 1 ? texts[0]! : texts
  }
  return form
}

function isPart(part: unknown): part is Part {
  return typeof part === 'object' && part !== null && 'value' in part
}
