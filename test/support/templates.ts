import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { App, CloudFormationValidatePlugin } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { readSettings } from '../../infra/read-settings.ts'
import type { Settings } from '../../infra/settings.ts'
import { addStacks } from '../../infra/stacks.ts'

/** Any property; tap's `match` needs no types. */
export type Value = Record<string, never>

export interface Resource {
  id: string
  Type: string
  Properties: Record<string, Value>
  DeletionPolicy?: string
  DependsOn?: string[]
}

/** A CloudFormation template with lookups for tests. */
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

  /** Returns the resources of a type, such as `SQS::Queue`, whose logical id starts with `id`. */
  all(type: string, id = ''): Resource[] {
    return this.resources.filter((resource) => resource.Type === `AWS::${type}` && resource.id.startsWith(id))
  }

  /** @throws {Error} unless there is exactly one */
  one(type: string, id = ''): Resource {
    const found = this.all(type, id)
    if (found.length !== 1) throw new Error(`${found.length} resources are ${type} ${id}`)
    return found[0]!
  }

  /** Returns the properties of the first container of a role's task. */
  container(role: string): Record<string, Value> {
    const { Properties } = this.one('ECS::TaskDefinition', `Services${role}Task`)
    return (Properties.ContainerDefinitions as unknown as Record<string, Value>[])[0]!
  }
}

/**
 * Returns the environment variables of a role's container as its process sees them.
 *
 * @param values that CloudFormation knows only at deployment, by the start of a logical id
 */
export function environmentOf(
  template: Template,
  role: string,
  values: Record<string, string>
): Record<string, string> {
  const known = (id: string) => {
    if (id === 'AWS::AccountId') return '111111111111'
    const found = Object.entries(values).find(([prefix]) => id.startsWith(prefix))
    if (!found) throw new Error(`values has no entry for ${id}`)
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

/** A template file of a synthesis. */
interface TemplateFile {
  stackConstructPath: string
  accountId: undefined
  templatePath: string
  region: string
}

/** The part of a Docker image asset that tests read. */
interface ImageSource {
  /** Stage of the Dockerfile. */
  dockerBuildTarget?: string
  dockerBuildArgs?: Record<string, string>
}

export interface Synthesis {
  settings: Settings
  state: Template
  /** By region. */
  listeners: Record<string, Template>
  /** Template of the first region. */
  listener: Template
  /** Template of the region that runs `reconcile` and `poll`. */
  home: Template
  /** Paths of the image's inputs; the CDK stages them only in the first synthesis of a process. */
  image: readonly string[]
  /** How the CDK builds the image. */
  imageSource: ImageSource | undefined
  /** Findings of cdk-nag that are not acknowledged. */
  findings: string[]
  /** Lookups in an AWS account that the synthesis would need. */
  missing: readonly unknown[]
  files: readonly TemplateFile[]
  /** Warnings of the synthesis. */
  warnings: readonly string[]
}

const { context: CDK_JSON } = JSON.parse(readFileSync('cdk.json', 'utf8')) as {
  context: Record<string, unknown>
}

const ofCdk = ([name]: [string, unknown]) => !/^\w+$/.test(name)

/** The CDK's own entries of cdk.json. */
const FLAGS = Object.fromEntries(Object.entries(CDK_JSON).filter(ofCdk))

/** The user's settings in cdk.json. */
export const USER_SETTINGS = Object.fromEntries(Object.entries(CDK_JSON).filter((entry) => !ofCdk(entry)))

function stagedFiles(directory: string): string[] {
  // the CDK stages its own Lambda functions too
  const staged = readdirSync(directory).find((name) => existsSync(join(directory, name, 'Dockerfile')))
  return staged ? readdirSync(join(directory, staged), { recursive: true, encoding: 'utf8' }) : []
}

/** Reads the source of the image from the assets of the stacks. */
function imageSourceIn(directory: string): ImageSource | undefined {
  const assets = readdirSync(directory).filter((name) => name.endsWith('.assets.json'))
  const sources = assets.flatMap((name) => {
    const { dockerImages = {} } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as {
      dockerImages?: Record<string, { source: ImageSource }>
    }
    return Object.values(dockerImages).map(({ source }) => source)
  })
  return sources[0]
}

/**
 * Synthesises the templates into a directory as `npm run synth` does, but with these settings instead of those in
 * cdk.json.
 */
export function synthesise(outdir: string, settings: Record<string, unknown> = {}): Synthesis {
  // validated by `violationsOf` instead, all at once
  const app = new App({
    context: { ...FLAGS, ...settings },
    outdir,
    builtinCloudFormationValidation: false
  })
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
    imageSource: imageSourceIn(assembly.directory),
    missing: assembly.manifest.missing ?? [],
    files: assembly.stacks.map(({ hierarchicalId, templateFullPath, environment }) => ({
      stackConstructPath: hierarchicalId,
      accountId: undefined,
      templatePath: templateFullPath,
      region: environment.region
    })),
    warnings: assembly.stacks.flatMap(({ messages }) =>
      messages.filter(({ level }) => level === 'warning').map(({ entry }) => String(entry.data))
    ),
    findings: violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`)
    )
  }
}

/**
 * Validates templates as the CDK does at the end of a synthesis. Together, because the CDK builds the rules for
 * the resource types of a synthesis, which takes longer than the validation.
 */
export function violationsOf(syntheses: readonly Synthesis[]): string[] {
  const stackTemplates = syntheses.flatMap(({ files }) => files)
  const { violations } = new CloudFormationValidatePlugin().validate({
    stackTemplates,
    templatePaths: stackTemplates.map(({ templatePath }) => templatePath),
    appConstruct: new App()
  })
  return (
    violations
      // a value that the schema does not list is a warning
      .filter(({ severity }) => ['fatal', 'error', 'warning'].includes(String(severity)))
      // the user names the zones
      .filter(({ ruleName }) => ruleName !== 'W3010')
      .map(({ ruleName, description }) => `${ruleName} ${description}`)
  )
}
