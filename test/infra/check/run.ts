import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Settings } from '../../../infra/settings.ts'
import { synthesise, violationsOf } from '../../support/templates.ts'
import { CONFIGURATIONS } from './configurations.ts'
import { EXCEPTIONS, findingsOf, problemsOf } from './control-tower.ts'
import { synthCommandProblems, unreportedMistakes } from './synth-command.ts'

/**
 * Validates the templates of all configurations: against CloudFormation's resource schemas, by cdk-nag, and by
 * the proactive controls of AWS Control Tower; and runs `npm run synth`. Exits 1 for a violation without a reasoned exception. Takes
 * minutes, so it is not part of `npm test`.
 */

const directory = mkdtempSync(join(tmpdir(), 'listener-check-'))
const problems: string[] = []

function report(what: string, found: readonly string[]): void {
  console.log(`${found.length === 0 ? 'ok     ' : 'not ok '} ${what}`)
  for (const line of found) console.log(`        ${line}`)
  problems.push(...found)
}

try {
  const given = new Set(Object.values(CONFIGURATIONS).flatMap((settings) => Object.keys(settings)))
  const syntheses = Object.entries(CONFIGURATIONS).map(([name, settings], index) => {
    const synthesis = synthesise(join(directory, String(index)), settings)
    report(`${name}: cdk-nag`, synthesis.findings)
    return synthesis
  })
  const paths = syntheses.flatMap(({ files }) => files.map(({ templatePath }) => templatePath))
  report(`CloudFormation's resource schemas, ${paths.length} templates`, violationsOf(syntheses))
  report('mistakes that the schemas must report', unreportedMistakes(syntheses[0]!, directory))
  report('npm run synth without credentials', synthCommandProblems(join(directory, 'synth')))
  const { controls, findings } = findingsOf(paths)
  report(`Control Tower, ${controls} controls about the resource types used`, problemsOf(findings))
  console.log(`\n${findings.length} findings have a reason:`)
  for (const [control, { reason }] of Object.entries(EXCEPTIONS)) console.log(`${control}  ${reason}`)
  const unused = Object.keys(Settings.shape).filter((name) => !given.has(name))
  console.log(`\nSettings that keep their default in all configurations: ${unused.join(', ')}`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
process.exitCode = problems.length > 0 ? 1 : 0
