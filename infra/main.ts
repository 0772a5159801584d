/** The CDK app: `npm run synth`, `diff`, `deploy` and `destroy` run it. docs/deploy.md says how to use it. */
import { App } from 'aws-cdk-lib'
import { describe } from './stacks.ts'

process.exitCode = describe(new App(), (line) => console.error(line))
