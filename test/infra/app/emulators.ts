import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Test } from 'tap'
import { journalTableInput } from '../../../app/journal/journal-table.ts'
import { startSecretsManager } from '../../../dev/secrets-manager.ts'
import { startStandIns } from '../../../dev/stand-ins.ts'
import { runRole } from '../../support/role.ts'
import { environmentOf, type Synthesis } from '../../support/templates.ts'

/** Runs roles as processes with the command and environment of their task definitions, on the stand-ins. */
export function emulators(t: Test, { plain }: Record<string, Synthesis>) {
  t.test('the task definitions', async (t) => {
    const { listener, settings } = plain!
    const standIns = await startStandIns()
    const secrets = await startSecretsManager({
      secrets: { [`${settings.name}/cloudinary`]: String(standIns.environment.CLOUDINARY_URL) }
    })
    t.teardown(() => Promise.all([standIns.stop(), secrets.stop()]))

    const values = {
      QueuesQueue: standIns.sqs.queueUrl,
      QueuesDeadLetterQueue: standIns.sqs.deadLetterQueueUrl,
      EntryLoadBalancer: 'balancer-1.us-east-1.elb.amazonaws.com'
    }

    /** Points the AWS SDK to the stand-ins. */
    const aws = {
      ...Object.fromEntries(Object.entries(standIns.environment).filter(([name]) => name.startsWith('AWS_'))),
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url
    }

    /** Runs a task definition as ECS does. */
    const runTask = (role: string, changes: Record<string, string> = {}) =>
      runRole(t, listener.container(role).Command as unknown as string[], {
        ...environmentOf(listener, role, values),
        ...aws,
        ...changes
      })

    t.test('process an upload from the webhook to its tag', async (t) => {
      const { JOURNAL_TABLE } = environmentOf(listener, 'Worker', values)
      const client = new DynamoDBClient({
        endpoint: standIns.dynamoDb.url,
        region: 'us-east-1',
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' }
      })
      await client.send(new CreateTableCommand(journalTableInput(JOURNAL_TABLE!)))

      // any free port: other tests run on this machine
      const web = runTask('Web', { PORT: '0', HOST: '127.0.0.1' })
      const worker = runTask('Worker')
      const { webhook } = await web.line('web is ready')
      await worker.line('worker is ready')
      standIns.cloudinary.setNotificationUrl(String(webhook))
      standIns.cloudinary.as().upload({ publicId: 'on-aws', resourceType: 'image' })
      await standIns.atRest()
      t.strictSame(standIns.cloudinary.assets.find('on-aws')?.tags, ['Hello World!'])

      for (const { child, ended } of [web, worker]) {
        child.kill('SIGTERM')
        t.equal(await ended, 0)
      }
      client.destroy()
    })

    t.test('run doctor and reconcile, which find no fault', async (t) => {
      const { WEBHOOK_URL } = environmentOf(listener, 'Operator', values)
      standIns.cloudinary.setNotificationUrl(WEBHOOK_URL)
      for (const command of [runTask('Operator'), runTask('Reconcile')]) {
        t.equal(await command.ended, 0, command.lines.map(({ msg }) => msg).join('\n'))
      }
    })
  })
}
