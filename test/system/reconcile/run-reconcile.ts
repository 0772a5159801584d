import { SQSClient } from '@aws-sdk/client-sqs'
import type { Test } from 'tap'
import {
  parseReconcile,
  type ReconcileOptions,
  reconcile
} from '../../../app/commands/reconcile/reconcile.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { StateStore } from '../../../app/journal/processor-state.ts'
import { EventSender } from '../../../app/queue/event-sender.ts'
import { messagesIn } from '../../../app/queue/sqs-client.ts'
import { createClients, loadEnvironments } from '../../../app/wiring.ts'
import type { StandIns } from '../../../dev/stand-ins.ts'
import { collect, QUIET } from '../../support/operator.ts'

export const HOUR_MS = 3_600_000

export interface Reconciled {
  exitCode: number
  lines: string[]
  /** Events that were sent, or with `--dry-run` would be. */
  sent: { id: string; type: string; publicId: string; own: boolean }[]
}

/** Runs the command in this process. The environment must be set. */
export function buildReconcile(
  t: Test,
  { sqs, environment }: Pick<StandIns, 'sqs' | 'environment'>,
  options: Partial<ReconcileOptions> = {}
): (args: string[], changes?: Partial<ReconcileOptions>) => Promise<Reconciled> {
  const client = new SQSClient()
  const table = { client: createDynamoDbClient(), tableName: environment.JOURNAL_TABLE! }
  t.teardown(() => {
    client.destroy()
    table.client.destroy()
  })
  return async (args, changes = {}) => {
    const { lines, print } = collect()
    const environments = await loadEnvironments(
      { CLOUDINARY_URL: environment.CLOUDINARY_URL } as Parameters<typeof loadEnvironments>[0],
      QUIET
    )
    const clients = createClients(environments, QUIET)
    const exitCode = await reconcile(parseReconcile(args), {
      environments,
      clients,
      table,
      state: new StateStore(table),
      sender: new EventSender({ sqs: client, queueUrl: sqs.queueUrl }),
      waiting: () => messagesIn(client, sqs.queueUrl),
      print,
      signal: new AbortController().signal,
      clock: Date.now,
      ...options,
      ...changes
    })
    clients.close()
    const sent = lines
      .filter((line) => /^(sent|would send) /.test(line))
      .map((line) => {
        const [, id = '', type = '', publicId = '', , own] = line.split(/ {2,}/)
        return { id, type, publicId, own: own !== undefined }
      })
    return { exitCode, lines, sent }
  }
}
