/** Entry point of the CDK app: `npm run synth`, `diff`, `deploy` and `destroy` run it (docs/deploy.md). */
import { App } from 'aws-cdk-lib'
import { checkSecretsIn } from './check-secrets.ts'
import { defineApp } from './stacks.ts'

process.exitCode = await defineApp(new App(), {
  printError: console.error,
  checkSecrets: checkSecretsIn
})
