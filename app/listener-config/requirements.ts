import { type Config, ConfigError, PROCESS_ENV, VARIABLES, type VariableName } from '../config.ts'
import { type Env, inspectVariable } from '../inspect-variable.ts'
import type { OwnVariable, Requirement } from '../processor.ts'

/** The part of a processor that this file reads. */
export interface ProcessorRequirements {
  name: string
  requires?: readonly Requirement[]
}

const toOwnVariable = (requirement: Requirement): OwnVariable =>
  typeof requirement === 'string' ? { name: requirement } : requirement

export const nameOf = (requirement: Requirement): string => toOwnVariable(requirement).name

const isListenerVariable = (name: string): name is VariableName => Object.hasOwn(VARIABLES, name)

/** Returns the first invalid requirement, as the end of an error message, or undefined. */
export function problemOfRequirements(processors: readonly ProcessorRequirements[]): string | undefined {
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
  const own = toOwnVariable(requirement)
  const { name, schema, example } = own ?? { name: own }
  if (typeof name !== 'string' || !/^[A-Z_][A-Z0-9_]*$/.test(name)) {
    return (
      `${JSON.stringify(name)}, which is not a variable name: ` +
      'use capital letters, digits and "_", such as CMS_TOKEN'
    )
  }
  if (typeof requirement === 'string') return undefined
  if (isListenerVariable(name)) return `${name}, a variable of the listener; require it by its name only`
  if (schema !== undefined && typeof schema.safeParse !== 'function')
    return `${name} with a \`schema\` that is not a zod schema`
  if (schemas.has(name) && schemas.get(name) !== schema) {
    return (
      `${name} with a different \`schema\` than an earlier processor; ` +
      'declare the variable once, as a constant, and require it in both'
    )
  }
  schemas.set(name, schema)
  if (example !== undefined && inspectVariable(own, { [name]: example }).outcome === 'invalid') {
    return `${name} with an \`example\` that its \`schema\` rejects`
  }
  return undefined
}

/** Returns the examples of the processors' own variables, by variable name. */
export const examplesOf = (requires: readonly Requirement[]): Record<string, string> =>
  Object.fromEntries(
    requires
      .map(toOwnVariable)
      .flatMap(({ name, example }) => (example === undefined ? [] : [[name, example]]))
  )

/**
 * Adds the variables that the processors require to the configuration.
 *
 * @throws {ConfigError} if variables are missing or invalid
 */
export function readRequirements<Known extends Partial<Config>>(
  processors: readonly ProcessorRequirements[],
  config: Known,
  env?: Env
): Known {
  const { values, problems } = inspectRequirements(processors, config, env)
  if (problems.length > 0) throw new ConfigError(problems)
  return { ...config, ...values }
}

/** Returns one line for each required variable that is missing or invalid. */
export const missingVariables = (
  processors: readonly ProcessorRequirements[],
  config: Partial<Config>,
  env?: Env
): string[] => inspectRequirements(processors, config, env).problems

function inspectRequirements(
  processors: readonly ProcessorRequirements[],
  config: Partial<Config>,
  env: Env = PROCESS_ENV
) {
  const values: Record<string, unknown> = {}
  const problems: string[] = []
  const declared = new Map(
    processors.flatMap(({ requires = [] }) =>
      requires.filter((each) => typeof each !== 'string').map((each) => [each.name, each] as const)
    )
  )
  for (const { name: processor, requires = [] } of processors) {
    const needs = `, and processor "${processor}" needs it`
    for (const name of requires.map(nameOf)) {
      if (isListenerVariable(name)) {
        if (config[name] === undefined)
          problems.push(`${name} is not set${needs}; it must be ${VARIABLES[name].allowed}`)
        continue
      }
      // a requirement by name only may be declared by another processor
      const result = inspectVariable(declared.get(name) ?? { name }, env)
      if (result.outcome === 'valid') values[name] = result.value
      else if (result.isSet) problems.push(`${result.problem}${needs}`)
      else problems.push(result.problem.replace(' is not set', ` is not set${needs}`))
    }
  }
  return { values, problems }
}
