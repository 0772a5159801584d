import { z } from 'zod'
import type { AssetEvent } from '../../ingest/event.ts'
import { PATH, valueAt } from '../event-path.ts'

/** Renders an event as text. */
export type Render = (event: AssetEvent) => string | undefined

/** `{{` and `}}` are literal braces, `{path}` is a placeholder. */
const TOKEN = /\{\{|\}\}|\{([^{}]*)\}/g

/**
 * A template such as `{public_id} was uploaded`, or a function of the event. Parses to a function. Rejects
 * placeholders that are not valid paths; a placeholder for a field that the payload does not have renders as
 * empty text.
 */
export const TEXT = z.custom<string | Render>().transform((given, context): Render => {
  if (typeof given === 'function') return given
  const message =
    typeof given === 'string' && given !== '' ? errorIn(given) : 'must be a template or a function'
  if (message === undefined) return (event) => fill(String(given), event)
  context.issues.push({ code: 'custom', message, input: given })
  return z.NEVER
})

function errorIn(template: string): string | undefined {
  if (/[{}]/.test(template.replace(TOKEN, ''))) return 'unmatched brace; write {{ or }} for a literal brace'
  for (const [token, path] of template.matchAll(TOKEN)) {
    const issue = path === undefined ? undefined : PATH.safeParse(path).error?.issues[0]
    if (issue) return `${token}: ${issue.message}`
  }
  return undefined
}

function fill(template: string, event: AssetEvent): string {
  return template.replace(TOKEN, (token, path?: string) =>
    path === undefined ? token.charAt(0) : textOf(valueAt(event, path))
  )
}

/** Joins a list, such as tags, with commas. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
