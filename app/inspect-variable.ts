import { z } from 'zod'
import { maskSecrets } from './mask.ts'

/** A process's environment. */
export type Env = Readonly<Record<string, string | undefined>>

/** A variable of the environment and how its value is validated. */
export interface VariableDefinition {
  name: string
  /** Schema of the value. (Default: any text) */
  schema?: z.ZodType
  /** What a value must be, for errors. (Default: the messages of `schema`) */
  allowed?: string
  /** Errors never repeat the value. */
  secret?: boolean
  /** The value can hold no secret, so errors repeat it unmasked. */
  public?: boolean
  /** Says what is wrong with a rejected value where `allowed` is not enough. Repeats no secret. */
  problem?: (value: string) => string | undefined
}

export type InspectedVariable =
  | { outcome: 'valid'; value: unknown }
  /** `problem` is one line: what is wrong and what to do. */
  | { outcome: 'invalid'; isSet: boolean; problem: string }

/** Reads and validates one variable. An empty value counts as not set. */
export function inspectVariable(definition: VariableDefinition, env: Env): InspectedVariable {
  const { name, schema = z.string(), allowed, problem } = definition
  const value = env[name] || undefined
  const { success, data, error } = parse(schema, value)
  if (success) return { outcome: 'valid', value: data }
  const isSet = value !== undefined
  const mustBe = allowed && `it must be ${allowed}`
  if (!isSet) return { outcome: 'invalid', isSet, problem: `${name} is not set; ${mustBe ?? 'set it'}` }
  const reason = problem?.(value) ?? mustBe ?? error.issues.map(({ message }) => message).join('; ')
  const shown = shownValue(value, definition)
  const given = shown === undefined ? `The value of ${name} (hidden) is not valid: ` : `${name} is ${shown}; `
  return { outcome: 'invalid', isSet, problem: `${given}${reason}` }
}

function parse(schema: z.ZodType, value: string | undefined): z.ZodSafeParseResult<unknown> {
  try {
    return schema.safeParse(value)
  } catch {
    // an error thrown by a transformation may hold the value
    const message = 'its schema cannot read it'
    return {
      success: false,
      error: new z.ZodError([{ code: 'custom', path: [], input: undefined, message }])
    }
  }
}

/** Returns undefined for a secret. */
function shownValue(value: string, { secret, public: isPublic }: VariableDefinition): string | undefined {
  if (secret || holdsSecret(value)) return undefined
  return JSON.stringify(isPublic ? value : maskSecrets(value))
}

/** Credentials may have been set in the wrong variable. */
const holdsSecret = (value: string) => /cloudinary:\/\/|whsec_|:\/\/[^/]*@/.test(value)
