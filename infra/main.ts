/** Entry point of the CDK app: `npm run synth`, `diff`, `deploy` and `destroy` run it (docs/deploy.md). */
import { App } from 'aws-cdk-lib'
import { defineApp } from './stacks.ts'

process.exitCode = defineApp(new App(), (line) => console.error(line))
