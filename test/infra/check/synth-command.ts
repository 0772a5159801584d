import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Settings } from '../../../infra/settings.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'
import { type Synthesis, Template, USER_SETTINGS, violationsOf } from '../../support/templates.ts'

/**
 * Returns what is wrong with `npm run synth` of cdk.json without credentials: it must exit 0, validate and write
 * the templates, and warn without TLS or without an alarm address.
 */
export function synthCommandProblems(directory: string): string[] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  const [program, ...args] = scripts.synth!.split(' ')
  if (program !== 'cdk') return [`the script synth runs ${program}`]
  const { status, stderr } = spawnSync(
    process.execPath,
    ['node_modules/aws-cdk/bin/cdk', ...args, '--output', directory],
    { encoding: 'utf8', env: { ...CHILD_ENVIRONMENT, HOME: directory } }
  )
  if (status !== 0) return [`npm run synth exited ${status}: ${stderr}`]
  const settings = Settings.parse(USER_SETTINGS)
  const name = `${settings.name}-${settings.regions[0]}.template.json`
  const written = new Template(JSON.parse(readFileSync(join(directory, name), 'utf8')))
  return [
    ...(settings.domainName || stderr.includes('cloudinary-listener:no-tls') ? [] : ['no warning of no-tls']),
    ...(settings.alarmEmails.length > 0 || stderr.includes('cloudinary-listener:no-alarm-address')
      ? []
      : ['no warning of no-alarm-address']),
    ...['Web', 'Worker']
      .filter((role) => written.all('ECS::Service', `Services${role}`).length !== 1)
      .map((role) => `${name} lacks the service ${role}`)
  ]
}

/** Returns the mistakes in a template that CloudFormation's resource schemas do not report, though they must. */
export function unreportedMistakes(synthesis: Synthesis, directory: string): string[] {
  const file = synthesis.files.at(-1)!
  const broken = JSON.parse(readFileSync(file.templatePath, 'utf8')) as {
    Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>
  }
  const first = (type: string) => Object.values(broken.Resources).find(({ Type }) => Type === `AWS::${type}`)!
  first('SQS::Queue').Properties.Colour = 'blue'
  first('ECS::Service').Properties.SchedulingStrategy = 'SOMETIMES'
  first('ECS::Service').Properties.DesiredCount = 'many'
  const templatePath = join(directory, 'broken.template.json')
  writeFileSync(templatePath, JSON.stringify(broken))
  const reported = violationsOf([{ ...synthesis, files: [{ ...file, templatePath }] }])
  return ['Colour', 'SchedulingStrategy', 'DesiredCount'].filter(
    (mistake) => !reported.some((violation) => violation.includes(mistake))
  )
}
