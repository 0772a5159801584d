import type { CloudinaryClients } from '../../cloudinary/clients.ts'
import { readConfig } from '../../config.ts'
import type { Environments } from '../../credentials/environments.ts'
import { createDynamoDbClient } from '../../journal/dynamodb.ts'
import { JournalReader } from '../../journal/journal-reader.ts'
import type { JournalTable } from '../../journal/journal-table.ts'
import { StateStore } from '../../journal/processor-state.ts'
import { SILENT } from '../../logger.ts'
import { EventSender } from '../../queue/event-sender.ts'
import { messagesIn } from '../../queue/sqs-client.ts'
import { createClients, createRegionalSqs, loadEnvironments, SEND_MS } from '../../wiring.ts'
import { type Print, readArguments, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { interruption } from '../interruption.ts'
import { REPORTING_TYPES } from './missing-events.ts'
import { runPass } from './reconcile-pass.ts'
import { Report } from './reconcile-report.ts'
import { Watermarks } from './search-windows.ts'
import { SIDES, type Side } from './tracked-changes.ts'

/** Cloudinary goes on trying for 39 minutes by its blog, 18 by its documentation; and each try may take 20 s. */
const DEFAULT_GRACE_MINUTES = 45

const MINUTE_MS = 60_000

/** SQS may not count what was stored in the last minute. */
const UNCOUNTED_MS = MINUTE_MS

const TYPES = SIDES.map(({ type }) => type)

export const RECONCILE_USAGE = `Usage: node app/main.ts reconcile [--since TIME] [--type EVENT_TYPE]… [--environment CLOUD]…
                                  [--grace MINUTES] [--dry-run]

Finds with Cloudinary's Search API what Cloudinary gave up sending, and sends it to the queue: uploads, and the last
change of tags, metadata and context, of which the journal knows no event. It begins where the last pass ended; the
first one, 24 hours back. Deletions, renames and moves cannot be found. Costs a call of the Admin API for each type, and
one more for each further 500 assets; it stops when a tenth of the hour's calls is left, and the next pass goes on.

  --since TIME         look from this time on, such as 2026-06-01T12:00:00Z; at most 29 days back
  --type EVENT_TYPE    only these: ${TYPES.slice(0, 2).join(', ')},
                       ${TYPES.slice(2).join(', ')}; may be repeated
  --environment CLOUD  only this cloud of several; may be repeated
  --grace MINUTES      leave what changed in the last so many minutes, since its notification may still come;
                       default ${DEFAULT_GRACE_MINUTES}
  --dry-run            sends and remembers nothing, and prints what would be sent

Exit code: 0, also when it stopped before the hour's calls were spent; 1 when something failed or it was interrupted; 2
for a wrong option. Ctrl-C stops it in good order.
`

export interface Reconciliation {
  /** Milliseconds since the epoch; undefined: where the last pass ended. */
  since: number | undefined
  sides: readonly Side[]
  /** Undefined: all. */
  cloudNames: readonly string[] | undefined
  graceMs: number
  dryRun: boolean
}

export interface ReconcileOptions {
  environments: Pick<Environments, 'cloudNames' | 'get' | 'isOwnKey'>
  clients: Pick<CloudinaryClients, 'for'>
  table: JournalTable
  state: Pick<StateStore, 'ofCommand'>
  sender: Pick<EventSender, 'store'>
  /** About how many messages the queue has, hidden ones included. */
  waiting: () => Promise<number>
  print: Print
  /** Aborted, it ends when the page in hand is done. */
  signal: AbortSignal
  /** Assets of a page: at most 500, which is also the default. */
  pageSize?: number
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** @throws {UsageError} */
export function parseReconcile(args: string[]): Reconciliation {
  const { values } = readArguments({
    args,
    options: {
      since: { type: 'string' },
      type: { type: 'string', multiple: true, default: [] },
      environment: { type: 'string', multiple: true },
      grace: { type: 'string', default: String(DEFAULT_GRACE_MINUTES) },
      'dry-run': { type: 'boolean', default: false }
    }
  })
  const { since, type: types, environment: cloudNames, grace } = values
  const time = since === undefined ? undefined : Date.parse(since)
  if (Number.isNaN(time)) {
    throw new UsageError(`--since "${since}" is no time; write it as 2026-06-01T12:00:00Z`)
  }
  const unknown = types.find((type) => !(TYPES as readonly string[]).includes(type))
  if (unknown !== undefined) {
    throw new UsageError(`--type "${unknown}" cannot be found by a search; these can: ${TYPES.join(', ')}`)
  }
  if (!/^\d{1,5}$/.test(grace)) throw new UsageError('--grace must be a whole number of minutes')
  return {
    since: time,
    sides: types.length === 0 ? SIDES : SIDES.filter(({ type }) => types.includes(type)),
    cloudNames,
    graceMs: Number(grace) * MINUTE_MS,
    dryRun: values['dry-run']
  }
}

/**
 * One pass over each cloud, and returns the exit code. An event that it sends has the identity that whoever finds the
 * same gives it, so neither passes side by side nor a notification of an upload that comes after all run anything twice.
 *
 * @throws {ListenerError} ENVIRONMENT_UNKNOWN; JOURNAL_UNAVAILABLE
 */
export async function reconcile(
  { since, sides, cloudNames, graceMs, dryRun }: Reconciliation,
  options: ReconcileOptions
): Promise<number> {
  const { environments, clients, table, state, sender, waiting, print, signal, clock } = options
  const journal = new JournalReader(table)
  const now = clock()
  const asked = cloudNames ?? environments.cloudNames()
  const clouds = asked.map((cloudName) => environments.get(cloudName))
  const isEmpty = (await waiting()) === 0
  if (!isEmpty)
    print('Events wait in the queue: changes are decided as far as the workers have come, uploads apart.')
  const report = new Report({ print, dryRun })
  for (const { cloudName, apiKey } of clouds) {
    const end = await runPass({
      environment: cloudName,
      ownKey: apiKey,
      isOwnKey: (key) => environments.isOwnKey(cloudName, key),
      receivedAt: new Date(now),
      notified: journal.notifiedChanges(cloudName, REPORTING_TYPES),
      history: (assets, ranges) => journal.assetHistory(cloudName, assets, ranges),
      knownEvents: (ids) => journal.knownEvents(ids),
      client: clients.for(cloudName, signal),
      sides,
      watermarks: new Watermarks(state.ofCommand('reconcile'), cloudName),
      sender,
      report: report.of(cloudName),
      since,
      begunThrough: async (from) =>
        isEmpty ? now - UNCOUNTED_MS : journal.startedThrough({ from, until: now }),
      graceMs,
      dryRun,
      now,
      pageSize: options.pageSize,
      signal
    })
    report.ended(cloudName, end)
  }
  return report.summarize()
}

export const reconcileCommand: Command = {
  summary: 'finds with the Search API the changes whose notifications were lost',
  usage: RECONCILE_USAGE,
  async run(args, print) {
    const request = parseReconcile(args)
    const config = readConfig(['QUEUE_URL', 'JOURNAL_TABLE'])
    const sqs = await createRegionalSqs(SEND_MS)
    const environments = await loadEnvironments(config, SILENT)
    const table = { client: createDynamoDbClient(), tableName: config.JOURNAL_TABLE }
    return reconcile(request, {
      environments,
      clients: createClients(environments, SILENT),
      table,
      state: new StateStore(table),
      sender: new EventSender({ sqs, queueUrl: config.QUEUE_URL }),
      waiting: () => messagesIn(sqs, config.QUEUE_URL),
      print,
      signal: interruption(),
      clock: Date.now
    })
  }
}
