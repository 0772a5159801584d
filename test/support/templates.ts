import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { Test } from 'tap'
import { readSettings } from '../../infra/read-settings.ts'
import type { Settings } from '../../infra/settings.ts'
import { addStacks } from '../../infra/stacks.ts'

/** A property that a test looks into; tap's `match` needs no types. */
export type Value = Record<string, never>

export interface Resource {
  id: string
  Type: string
  Properties: Record<string, Value>
  DeletionPolicy?: string
  DependsOn?: string[]
}

/** A CloudFormation template, as a test asks for its parts. */
export class Template {
  readonly resources: readonly Resource[]
  readonly outputs: Readonly<Record<string, { Value: unknown }>>
  readonly text: string

  constructor(json: object) {
    const { Resources = {}, Outputs = {} } = json as {
      Resources?: Record<string, Omit<Resource, 'id'>>
      Outputs?: Record<string, { Value: unknown }>
    }
    this.resources = Object.entries(Resources).map(([id, resource]) => ({ id, ...resource }))
    this.outputs = Outputs
    this.text = JSON.stringify(json)
  }

  /** Those of a type, such as `SQS::Queue`, whose logical id begins so. */
  all(type: string, id = ''): Resource[] {
    return this.resources.filter((resource) => resource.Type === `AWS::${type}` && resource.id.startsWith(id))
  }

  /** @throws {Error} unless there is exactly one */
  one(type: string, id = ''): Resource {
    const found = this.all(type, id)
    if (found.length !== 1) throw new Error(`${found.length} resources are ${type} ${id}`)
    return found[0]!
  }

  /** The properties of the only container of a role's task. */
  container(role: string): Record<string, Value> {
    const { Properties } = this.one('ECS::TaskDefinition', `Services${role}Task`)
    return (Properties.ContainerDefinitions as unknown as Record<string, Value>[])[0]!
  }
}

/**
 * The variables of a role's container as its process will see them.
 *
 * @param values of what CloudFormation only knows when it deploys, by the beginning of the logical id
 */
export function environmentOf(
  template: Template,
  role: string,
  values: Record<string, string>
): Record<string, string> {
  const known = (id: string) => {
    const found = Object.entries(values).find(([beginning]) => id.startsWith(beginning))
    if (!found) throw new Error(`nobody says what ${id} is`)
    return found[1]
  }
  const resolved = (value: unknown): string => {
    if (typeof value === 'string') return value
    const intrinsic = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]] }
    if (intrinsic['Fn::Join']) return intrinsic['Fn::Join'][1].map(resolved).join(intrinsic['Fn::Join'][0])
    const [id = '', attribute] = intrinsic['Fn::GetAtt'] ?? [intrinsic.Ref]
    return known(attribute === 'Endpoint.Port' ? attribute : id)
  }
  const given = template.container(role).Environment as unknown as { Name: string; Value: unknown }[]
  return Object.fromEntries(given.map(({ Name, Value }) => [Name, resolved(Value)]))
}

export interface Synthesis {
  settings: Settings
  state: Template
  /** By region. */
  listeners: Record<string, Template>
  /** Of the first region. */
  listener: Template
  /** Of the region that runs `reconcile` and `poll`. */
  home: Template
  /** Paths of what goes into the image; the CDK stages it for the first one alone that a process makes. */
  image: readonly string[]
  /** What cdk-nag finds, and nobody has given a reason for. */
  findings: string[]
  /** What would have to be looked up in an account. */
  missing: readonly unknown[]
}

const { context: CDK_JSON } = JSON.parse(readFileSync('cdk.json', 'utf8')) as {
  context: Record<string, unknown>
}

const ofCdk = ([name]: [string, unknown]) => !/^\w+$/.test(name)

/** CDK's own part of cdk.json. */
const FLAGS = Object.fromEntries(Object.entries(CDK_JSON).filter(ofCdk))

/** The user's part of cdk.json. */
export const USER_SETTINGS = Object.fromEntries(Object.entries(CDK_JSON).filter((entry) => !ofCdk(entry)))

function stagedFiles(directory: string): string[] {
  const staged = readdirSync(directory).find((name) => name.startsWith('asset.'))
  return staged ? readdirSync(join(directory, staged), { recursive: true, encoding: 'utf8' }) : []
}

/** Makes the templates as `npm run synth` does, with these settings, and none of cdk.json. */
export function synthesise(t: Test, settings: Record<string, unknown> = {}): Synthesis {
  const app = new App({ context: { ...FLAGS, ...settings }, outdir: t.testdir() })
  const read = readSettings(app.node.getAllContext())
  if (read.outcome === 'invalid') throw new Error(read.problems.join('\n'))
  const { state, listeners } = addStacks(app, read.settings)
  const { violations } = new AwsSolutionsChecks().validateScope(app)
  const assembly = app.synth()
  const templateOf = (stack: { artifactId: string }) =>
    new Template(assembly.getStackArtifact(stack.artifactId).template)
  const byRegion = Object.fromEntries(listeners.map((listener) => [listener.region, templateOf(listener)]))
  return {
    settings: read.settings,
    state: templateOf(state),
    listeners: byRegion,
    listener: byRegion[read.settings.regions[0]!]!,
    home: byRegion[read.settings.homeRegion ?? read.settings.regions[0]!]!,
    image: stagedFiles(assembly.directory),
    missing: assembly.manifest.missing ?? [],
    findings: violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`)
    )
  }
}
