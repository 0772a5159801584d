import {
  type Config,
  ConfigError,
  type Env,
  inspectVariable,
  VARIABLES,
  type VariableName
} from '../config.ts'
import type { OwnVariable, Requirement } from '../processor.ts'

/** What is looked at of a processor. */
export interface Requiring {
  name: string
  requires?: readonly Requirement[]
}

const asOwn = (requirement: Requirement): OwnVariable =>
  typeof requirement === 'string' ? { name: requirement } : requirement

export const nameOf = (requirement: Requirement): string => asOwn(requirement).name

const isListeners = (name: string): name is VariableName => Object.hasOwn(VARIABLES, name)

/** What is wrong with what processors require, as the end of a sentence about a processor; undefined where nothing is. */
export function problemOfRequirements(processors: readonly Requiring[]): string | undefined {
  const schemas = new Map<string, OwnVariable['schema']>()
  for (const { name: processor, requires = [] } of processors) {
    for (const requirement of requires) {
      const problem = problemOf(requirement, schemas)
      if (problem) return `processor "${processor}" requires ${problem}`
    }
  }
  return undefined
}

function problemOf(
  requirement: Requirement,
  schemas: Map<string, OwnVariable['schema']>
): string | undefined {
  const own = asOwn(requirement)
  const { name, schema, example } = own ?? { name: own }
  if (typeof name !== 'string' || !/^[A-Z_][A-Z0-9_]*$/.test(name)) {
    return `${JSON.stringify(name)}; a variable is named in capital letters, digits and "_", such as CMS_TOKEN`
  }
  if (typeof requirement === 'string') return undefined
  if (isListeners(name)) return `${name}, which is the listener's own; require it by its name alone`
  if (schema !== undefined && typeof schema.safeParse !== 'function')
    return `${name} with a \`schema\` that is not one of zod`
  if (schemas.has(name) && schemas.get(name) !== schema) {
    return `${name} with another \`schema\` than a processor before it; declare it once, as a constant, and have both require that`
  }
  schemas.set(name, schema)
  if (example !== undefined && inspectVariable(own, { [name]: example }).outcome === 'invalid') {
    return `${name} with an \`example\` that its \`schema\` refuses`
  }
  return undefined
}

/** Names and examples of the variables of their own that these have. */
export const examplesOf = (requires: readonly Requirement[]): Record<string, string> =>
  Object.fromEntries(
    requires.map(asOwn).flatMap(({ name, example }) => (example === undefined ? [] : [[name, example]]))
  )

/**
 * The environment with what these processors require of it.
 *
 * @throws {ConfigError} one line for each variable that is missing or bad
 */
export function readRequirements<Known extends Partial<Config>>(
  processors: readonly Requiring[],
  config: Known,
  env?: Env
): Known {
  const { values, faults } = inspectRequirements(processors, config, env)
  if (faults.length > 0) throw new ConfigError(faults)
  return { ...config, ...values }
}

/** What processors require of the environment and it has not, or has wrong: a line for each, saying what to set. */
export const missingVariables = (
  processors: readonly Requiring[],
  config: Partial<Config>,
  env?: Env
): string[] => inspectRequirements(processors, config, env).faults

function inspectRequirements(processors: readonly Requiring[], config: Partial<Config>, env?: Env) {
  const values: Record<string, unknown> = {}
  const faults: string[] = []
  const declared = new Map(
    processors.flatMap(({ requires = [] }) =>
      requires.filter((each) => typeof each !== 'string').map((each) => [each.name, each] as const)
    )
  )
  for (const { name: processor, requires = [] } of processors) {
    const needs = `, and processor "${processor}" needs it`
    for (const { name } of requires.map(asOwn)) {
      // a name alone is the variable as another processor declares it
      const own = declared.get(name) ?? { name }
      if (isListeners(name)) {
        if (config[name] === undefined)
          faults.push(`${name} is not set${needs}; it must be ${VARIABLES[name].allowed}`)
        continue
      }
      const found = inspectVariable(own, env)
      if (found.outcome === 'valid') values[name] = found.value
      else
        faults.push(
          found.isSet ? `${found.line}${needs}` : found.line.replace(' is not set', ` is not set${needs}`)
        )
    }
  }
  return { values, faults }
}
