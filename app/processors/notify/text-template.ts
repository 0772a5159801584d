import { z } from 'zod'
import type { AssetEvent } from '../../ingest/event.ts'
import { PATH, valueAt } from '../event-path.ts'

/** Text that is made of an event; undefined where there is none. */
export type Render = (event: AssetEvent) => string | undefined

/** `{{` and `}}` stand for braces, `{path}` for what the path leads to. */
const TOKEN = /\{\{|\}\}|\{([^{}]*)\}/g

/**
 * A template such as `{public_id} was uploaded`, or a function of the event; becomes a function of the event. A
 * placeholder that can lead nowhere is refused. Which fields a payload has is Cloudinary's to say: where it has not the one
 * that is meant, nothing stands in its place.
 */
export const TEXT = z.custom<string | Render>().transform((given, context): Render => {
  if (typeof given === 'function') return given
  const fault =
    typeof given === 'string' && given !== '' ? faultIn(given) : 'must be a template or a function'
  if (fault === undefined) return (event) => fill(String(given), event)
  context.issues.push({ code: 'custom', message: fault, input: given })
  return z.NEVER
})

function faultIn(template: string): string | undefined {
  if (/[{}]/.test(template.replace(TOKEN, ''))) return 'a brace stands alone; {{ and }} stand for braces'
  for (const [token, path] of template.matchAll(TOKEN)) {
    const issue = path === undefined ? undefined : PATH.safeParse(path).error?.issues[0]
    if (issue) return `${token}: ${issue.message}`
  }
  return undefined
}

function fill(template: string, event: AssetEvent): string {
  return template.replace(TOKEN, (token, path?: string) =>
    path === undefined ? token.charAt(0) : wordsFor(valueAt(event, path))
  )
}

/** A list with commas between, such as tags; nothing for nothing. */
function wordsFor(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map(wordsFor).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
