import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'

/** Permissions to write, by job. Every other permission of a workflow is `read`. */
const MAY_WRITE: Record<string, string[]> = {
  'codeql.yml analyze': ['security-events'],
  'deploy.yml deploy': ['id-token'],
  'release.yml image': ['packages', 'id-token', 'attestations'],
  'scorecard.yml analyze': ['security-events', 'id-token'],
  'simulation.yml report': ['issues']
}

interface Step {
  id?: string
  uses?: string
  run?: string
  with?: Record<string, unknown>
  env?: Record<string, string>
}

interface Job {
  uses?: string
  needs?: string | string[]
  permissions?: Record<string, string>
  'timeout-minutes'?: number
  steps?: Step[]
}

interface Workflow {
  on: string | Record<string, unknown>
  permissions: unknown
  jobs: Record<string, Job>
}

const FOLDER = '.github/workflows'
const texts = new Map(
  globSync('*.{yml,yaml}', { cwd: FOLDER }).map((file) => [file, readFileSync(`${FOLDER}/${file}`, 'utf8')])
)
const workflows = new Map([...texts].map(([file, text]) => [file, parse(text) as Workflow]))
const jobs = [...workflows].flatMap(([file, { jobs }]) =>
  Object.entries(jobs).map(([name, job]) => ({ name: `${file} ${name}`, job, steps: job.steps ?? [] }))
)
const steps = jobs.flatMap(({ name, steps }) => steps.map((step) => ({ name, step })))

t.test('a token has the permissions that its job states, and no others', async (t) => {
  for (const [file, { permissions }] of workflows) t.strictSame(permissions, {}, file)
  for (const { name, job } of jobs) {
    const granted = Object.entries(job.permissions ?? { all: 'by default' })
    const written = granted.filter(([, access]) => access !== 'read')
    t.strictSame(
      written.toSorted(),
      (MAY_WRITE[name] ?? []).map((scope) => [scope, 'write']).toSorted(),
      name
    )
  }
  t.strictSame(
    Object.keys(MAY_WRITE).filter((name) => !jobs.some((job) => job.name === name)),
    [],
    'each exception is still of use'
  )
})

t.test('an action is pinned by commit, with its version in a comment', async (t) => {
  const uses = [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/^\s*(?:- )?uses: *(.*)$/gm)].map(([, action]) => ({ file, action }))
  )
  t.ok(uses.length > 0)
  t.equal(
    uses.length,
    steps.filter(({ step }) => step.uses).length + jobs.filter(({ job }) => job.uses).length
  )
  for (const { file, action } of uses) {
    t.match(action, /^(\.\/\S+|[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/, file)
  }
  const commits = new Map<string, string>()
  for (const { action } of uses) {
    const [, repository, commit] = /^([\w.-]+\/[\w.-]+)[^@]*@([0-9a-f]{40})/.exec(action ?? '') ?? []
    if (!repository || !commit) continue
    t.equal(commits.get(repository) ?? commit, commit, `one version of ${repository}`)
    commits.set(repository, commit)
  }
})

t.test('a checkout leaves no token for later steps', async (t) => {
  for (const { name, step } of steps) {
    if (step.uses?.startsWith('actions/checkout@')) t.equal(step.with?.['persist-credentials'], false, name)
  }
})

t.test('a pull request cannot run commands with permissions', async (t) => {
  for (const [file, { on }] of workflows) {
    const events = typeof on === 'string' ? [on] : Object.keys(on)
    t.notOk(events.includes('pull_request_target') || events.includes('workflow_run'), file)
  }
  // an expression is replaced before the shell reads the line, so a branch name could be a command
  for (const { name, step } of steps) t.notMatch(step.run ?? '', /\$\{\{/, name)
})

t.test('a job ends', async (t) => {
  for (const { name, job } of jobs) {
    if (!job.uses) t.type(job['timeout-minutes'], 'number', name)
  }
})

t.test('a release is tested, and its image has an SBOM, provenance and a signature', async (t) => {
  const { check, image } = workflows.get('release.yml')!.jobs
  t.equal(check?.uses, './.github/workflows/ci.yml')
  t.strictSame([image?.needs].flat(), ['check'])
  const using = (action: string) => image!.steps!.filter(({ uses }) => uses?.startsWith(`${action}@`))
  const digest = /\$\{\{ steps\.image\.outputs\.digest \}\}$/
  t.ok(image!.steps!.some(({ id }) => id === 'image'))

  const [sbom] = using('anchore/sbom-action')
  t.equal(sbom?.with?.format, 'cyclonedx-json')
  t.match(sbom?.with?.image, digest)

  const attestations = using('actions/attest')
  // without `sbom-path` the action attests the provenance
  t.strictSame(
    attestations.map((step) => step.with?.['sbom-path']),
    [undefined, sbom?.with?.['output-file']]
  )
  for (const attestation of attestations) {
    t.match(attestation.with, { 'subject-digest': digest, 'push-to-registry': true })
  }

  t.equal(using('sigstore/cosign-installer').length, 1)
  const signing = image!.steps!.find(({ run }) => run?.startsWith('cosign sign'))
  t.match(signing?.env?.IMAGE, digest, 'signs the digest, since a tag can move')
})

t.test('a release is built from the pinned base image', async (t) => {
  const { jobs } = workflows.get('release.yml')!
  const runs = Object.values(jobs).flatMap(({ steps }) => steps?.flatMap(({ run }) => run ?? []) ?? [])
  const build = runs.find((run) => run.includes('docker build'))
  t.match(build, "base=$(sed -n 's/^FROM //p' infra/base-image.Dockerfile)")
  t.match(build, '--build-arg NODE_IMAGE="$base"')
})

t.test('changes are reviewed for vulnerabilities', async (t) => {
  const actions = (file: string) =>
    Object.values(workflows.get(file)!.jobs).flatMap(({ steps }) =>
      steps!.flatMap(({ uses }) => uses?.replace(/@.*/, '') ?? [])
    )
  t.ok(actions('codeql.yml').includes('github/codeql-action/analyze'))
  t.ok(actions('dependency-review.yml').includes('actions/dependency-review-action'))
  t.ok(actions('scorecard.yml').includes('ossf/scorecard-action'))
})

t.test('Dependabot renews everything that is pinned', async (t) => {
  const { updates } = parse(readFileSync('.github/dependabot.yml', 'utf8'))
  t.strictSame(updates.map((update: Record<string, unknown>) => update['package-ecosystem']).toSorted(), [
    'docker',
    'docker-compose',
    'github-actions',
    'npm'
  ])
  const docker = updates.find((update: Record<string, unknown>) => update['package-ecosystem'] === 'docker')
  t.equal(docker.directory, '/infra', 'of infra/base-image.Dockerfile')
  for (const update of updates) t.ok(update.cooldown?.['default-days'] >= 3, update['package-ecosystem'])
})
