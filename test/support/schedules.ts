import { SQSClient } from '@aws-sdk/client-sqs'
import type { Test } from 'tap'
import { CloudinaryClients } from '../../app/cloudinary/clients.ts'
import { parseSchedules, runSchedules } from '../../app/commands/schedules/schedules.ts'
import { createDynamoDbClient } from '../../app/journal/dynamodb.ts'
import { StateStore } from '../../app/journal/processor-state.ts'
import type { Processor } from '../../app/listener.ts'
import { EventSender } from '../../app/queue/event-sender.ts'
import { schedulesOf } from '../../app/schedules/listener-schedules.ts'
import { loadEnvironments } from '../../app/wiring.ts'
import type { StandIns } from '../../dev/stand-ins.ts'
import { collect, QUIET } from './operator.ts'

/**
 * Returns a function that runs the command `schedules` at a time, for these processors, with short timeouts. The
 * environment must be set.
 */
export async function buildSchedules(
  t: Test,
  { sqs, environment }: Pick<StandIns, 'sqs' | 'environment'>,
  processors: readonly Processor[]
): Promise<(now: number, ...args: string[]) => Promise<{ exitCode: number; lines: string[] }>> {
  const client = new SQSClient()
  const table = { client: createDynamoDbClient(), tableName: environment.JOURNAL_TABLE! }
  const credentials = { CLOUDINARY_URL: environment.CLOUDINARY_URL } as Parameters<typeof loadEnvironments>[0]
  const environments = await loadEnvironments(credentials, QUIET)
  const clients = new CloudinaryClients({ environments, timeoutMs: 500 })
  t.teardown(() => {
    clients.close()
    client.destroy()
    table.client.destroy()
  })
  return async (now, ...args) => {
    const { lines, print } = collect()
    const exitCode = await runSchedules(parseSchedules(args), {
      schedules: schedulesOf({ processors }),
      environments,
      clients,
      state: new StateStore(table).ofCommand('schedules'),
      sender: new EventSender({ sqs: client, queueUrl: sqs.queueUrl }),
      print,
      signal: new AbortController().signal,
      clock: () => now
    })
    return { exitCode, lines }
  }
}
