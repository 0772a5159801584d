import { readFileSync } from 'node:fs'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { App } from 'aws-cdk-lib'
import type { Test } from 'tap'
import { startSecretsManager } from '../../../dev/secrets-manager.ts'
import { checkSecrets, checkSecretsIn, type SecretProblem } from '../../../infra/check-secrets.ts'
import { putSecretCommand, type SecretDefinition, secretsOf } from '../../../infra/secret-definitions.ts'
import { CHECK_SECRETS, defineApp } from '../../../infra/stacks.ts'
import type { Synthesis } from '../../support/templates.ts'

async function startStandIn(t: Test, secrets: Record<string, string> = {}) {
  const server = await startSecretsManager({ secrets })
  const client = new SecretsManagerClient({
    endpoint: server.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1
  })
  t.teardown(async () => {
    client.destroy()
    await server.stop()
  })
  return { server, client }
}

const codesOf = (problems: readonly SecretProblem[]) =>
  problems.map(({ code, secretName }) => `${code} ${secretName.replace('cloudinary-listener/', '')}`)

export function deployment(t: Test, all: Record<string, Synthesis>) {
  t.test('the check covers every secret of the templates, and each must have a value', async (t) => {
    for (const [name, { settings, state }] of Object.entries(all)) {
      const needed = secretsOf(settings)
      t.strictSame(
        needed.map(({ secretName }) => secretName),
        state.all('SecretsManager::Secret').map(({ Properties }) => Properties.Name),
        name
      )
      const values = needed.map(({ secretName, fields }): [string, string] => [
        secretName,
        fields ? JSON.stringify(Object.fromEntries(fields.map((field) => [field, 'x']))) : 'x'
      ])
      const { server, client } = await startStandIn(t, Object.fromEntries(values))
      t.strictSame(await checkSecrets(client, needed), [], name)
      for (const [secretName, value] of values) {
        server.set(secretName, 'AWSCURRENT', undefined)
        const problems = await checkSecrets(client, needed)
        t.match(problems, [{ code: 'SECRET_EMPTY', secretName }], name)
        t.ok(problems[0]?.message.includes(putSecretCommand('eu-west-1', secretName)))
        server.set(secretName, 'AWSCURRENT', value)
      }
    }
  })

  t.test('a secret that does not exist, lacks a field or cannot be checked is a problem', async (t) => {
    const { server, client } = await startStandIn(t)
    const needed = secretsOf(all.several!.settings).filter(({ id }) => ['Forward', 'Processors'].includes(id))
    t.strictSame(codesOf(await checkSecrets(client, needed)), [
      'SECRET_MISSING forward',
      'SECRET_MISSING processors'
    ])
    server.set('cloudinary-listener/forward', 'AWSCURRENT', 'any')
    for (const [value, missing] of [
      ['{"CMS_TOKEN":"a"}', /^Add CMS_KEY to /],
      ['{"CMS_TOKEN":"a","CMS_KEY":1}', /^Add CMS_KEY to /],
      ['null', /^Add CMS_TOKEN, CMS_KEY to /],
      ['CMS_TOKEN=a', /^Add CMS_TOKEN, CMS_KEY to /]
    ] as const) {
      server.set('cloudinary-listener/processors', 'AWSCURRENT', value)
      t.match(await checkSecrets(client, needed), [{ code: 'SECRET_FIELD_MISSING', message: missing }], value)
    }
    server.set('cloudinary-listener/processors', 'AWSCURRENT', new Uint8Array([1]))
    t.strictSame(codesOf(await checkSecrets(client, needed)), ['SECRET_FIELD_MISSING processors'], 'binary')
    server.failWith({ status: 400, code: 'AccessDeniedException' })
    t.strictSame(codesOf(await checkSecrets(client, needed)), [
      'SECRET_NOT_CHECKED forward',
      'SECRET_NOT_CHECKED processors'
    ])
  })

  t.test('uses the credentials and endpoints of the AWS SDK', async (t) => {
    const { server } = await startStandIn(t, { a: 'one' })
    t.teardown(() => {
      for (const name of ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
        delete process.env[name]
    })
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: server.url,
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any'
    })
    const secret = (secretName: string): SecretDefinition => ({ id: 'A', secretName, format: 'any' })
    t.strictSame(codesOf(await checkSecretsIn('us-east-1', [secret('a'), secret('b')])), ['SECRET_MISSING b'])
  })

  t.test('npm run deploy refuses while a secret has no value; synthesis asks nobody', async (t) => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>
    }
    t.match(scripts.deploy, `--context ${CHECK_SECRETS}=true`)
    for (const name of ['synth', 'diff', 'deploy:state', 'destroy'])
      t.notMatch(scripts[name], CHECK_SECRETS, name)
    t.match(readFileSync('.github/workflows/deploy.yml', 'utf8'), /npm run deploy( |$)/m)

    const empty: SecretProblem = { code: 'SECRET_EMPTY', secretName: 'a/b', message: 'Set it.' }
    const run = async (context: Record<string, string>, problems: SecretProblem[]) => {
      const app = new App({ context: { regions: 'eu-west-1,us-east-1', ...DOMAIN, ...context } })
      const lines: string[] = []
      const asked: string[] = []
      const code = await defineApp(app, {
        printError: (line) => void lines.push(line),
        checkSecrets: async (region, secrets) => {
          asked.push(region, ...secrets.map(({ id }) => id))
          return problems
        }
      })
      return { code, lines, asked, stacks: app.node.children.length }
    }
    t.match(await run({}, [empty]), { code: 0, asked: [], stacks: 3 })
    t.match(await run({ [CHECK_SECRETS]: 'true' }, []), {
      code: 0,
      asked: ['eu-west-1', 'Cloudinary'],
      stacks: 3
    })
    t.match(await run({ [CHECK_SECRETS]: 'true' }, [empty]), {
      code: 1,
      lines: ['SECRET_EMPTY a/b: Set it.', /^Nothing was deployed/],
      stacks: 0
    })
  })
}

const DOMAIN = { domainName: 'hooks.example.com', hostedZoneId: 'Z0123456789' }
