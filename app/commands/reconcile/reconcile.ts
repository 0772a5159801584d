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
import { withTracing } from '../../tracing/create-tracing.ts'
import { createClients, createRegionalSqs, loadEnvironments, SEND_MS } from '../../wiring.ts'
import { type Print, readArguments, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { interruption } from '../interruption.ts'
import { CHANGE_KINDS, type ChangeKind } from './change-kinds.ts'
import { REPORTING_TYPES } from './missing-events.ts'
import { runPass } from './reconcile-pass.ts'
import { ReconcileReport } from './reconcile-report.ts'
import { Watermarks } from './search-windows.ts'

/** Cloudinary retries for 18 (documentation) or 39 minutes (its blog), and each attempt may take 20 s. */
const DEFAULT_GRACE_MINUTES = 45

const MINUTE_MS = 60_000

/** The message count of SQS may be a minute old. */
const UNCOUNTED_MS = MINUTE_MS

const TYPES = CHANGE_KINDS.map(({ type }) => type)

export const RECONCILE_USAGE = `Usage: node app/main.ts reconcile [option…]

Finds changes whose notifications Cloudinary gave up sending, with the Search API, and sends them to the
queue: uploads, and the last change of tags, metadata and context, if the journal has no event for it.
Starts where the last pass ended; the first pass starts 24 hours back. Cannot find deletions, renames and
moves. Costs one call of the Admin API for each type and each further 500 assets. Stops when a tenth of the
hour's calls is left; the next pass resumes.

  --since TIME         start at this time, such as 2026-06-01T12:00:00Z; at most 29 days back
  --type EVENT_TYPE    only this type, one of ${TYPES.slice(0, 2).join(', ')},
                       ${TYPES.slice(2).join(', ')}; may be repeated
  --environment CLOUD  only this cloud; may be repeated
  --grace MINUTES      skip changes of the last MINUTES, since their notifications may still arrive;
                       default ${DEFAULT_GRACE_MINUTES}
  --dry-run            sends and saves nothing, and prints what it would send

Exit code: 0 on success, also when it stopped before the hour's calls were spent; 1 on an error or
interruption; 2 for a wrong option. Ctrl-C stops it safely.
`

export interface ReconcileArguments {
  /** Milliseconds since the epoch; undefined to start where the last pass ended. */
  since: number | undefined
  kinds: readonly ChangeKind[]
  /** Undefined for all. */
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
  /** Resolves to the approximate number of messages in the queue, including hidden ones. */
  waiting: () => Promise<number>
  print: Print
  /** Stops the pass after the current page when it aborts. */
  signal: AbortSignal
  /** Assets per page, at most 500. (Default: 500) */
  pageSize?: number
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** @throws {UsageError} */
export function parseReconcile(args: string[]): ReconcileArguments {
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
    throw new UsageError(`--since "${since}" is not a time; write it like 2026-06-01T12:00:00Z`)
  }
  const unknown = types.find((type) => !(TYPES as readonly string[]).includes(type))
  if (unknown !== undefined) {
    throw new UsageError(`--type "${unknown}" cannot be searched; use one of: ${TYPES.join(', ')}`)
  }
  if (!/^\d{1,5}$/.test(grace)) throw new UsageError('--grace must be a whole number of minutes')
  return {
    since: time,
    kinds: types.length === 0 ? CHANGE_KINDS : CHANGE_KINDS.filter(({ type }) => types.includes(type)),
    cloudNames,
    graceMs: Number(grace) * MINUTE_MS,
    dryRun: values['dry-run']
  }
}

/**
 * Makes one pass over each cloud, and returns the exit code. The same change gets the same event ID in each
 * pass, and an upload also has the ID of its notification, so concurrent passes and late notifications run
 * nothing twice.
 *
 * @throws {ListenerError} ENVIRONMENT_UNKNOWN; JOURNAL_UNAVAILABLE
 */
export async function reconcile(
  { since, kinds, cloudNames, graceMs, dryRun }: ReconcileArguments,
  options: ReconcileOptions
): Promise<number> {
  const { environments, clients, table, state, sender, waiting, print, signal, clock } = options
  const journal = new JournalReader(table)
  const now = clock()
  const clouds = (cloudNames ?? environments.cloudNames()).map((cloudName) => environments.get(cloudName))
  const isEmpty = (await waiting()) === 0
  if (!isEmpty)
    print(
      'The queue has messages: changes other than uploads are searched only up to the time through which ' +
        'workers have started every event.'
    )
  const report = new ReconcileReport({ print, dryRun })
  for (const { cloudName, apiKey } of clouds) {
    const outcome = await runPass({
      environment: cloudName,
      ownKey: apiKey,
      isOwnKey: (key) => environments.isOwnKey(cloudName, key),
      receivedAt: new Date(now),
      notified: journal.notifiedChanges(cloudName, REPORTING_TYPES),
      history: (assets, ranges) => journal.assetHistory(cloudName, assets, ranges),
      knownEvents: (ids) => journal.knownEvents(ids),
      client: clients.for(cloudName, signal),
      kinds,
      watermarks: new Watermarks(state.ofCommand('reconcile'), cloudName),
      sender,
      report,
      since,
      startedThrough: async (from) =>
        isEmpty ? now - UNCOUNTED_MS : journal.startedThrough({ from, until: now }),
      graceMs,
      dryRun,
      now,
      pageSize: options.pageSize,
      signal
    })
    report.ended(cloudName, outcome)
  }
  return report.summarize()
}

export const reconcileCommand: Command = {
  usage: RECONCILE_USAGE,
  async run(args, print) {
    const selection = parseReconcile(args)
    const config = readConfig(['QUEUE_URL', 'JOURNAL_TABLE'])
    const sqs = await createRegionalSqs(SEND_MS)
    const environments = await loadEnvironments(config, SILENT)
    const table = { client: createDynamoDbClient(), tableName: config.JOURNAL_TABLE }
    return withTracing('reconcile', config, (tracing) =>
      reconcile(selection, {
        environments,
        clients: createClients(environments, SILENT),
        table,
        state: new StateStore(table),
        sender: new EventSender({ sqs, queueUrl: config.QUEUE_URL, tracing }),
        waiting: () => messagesIn(sqs, config.QUEUE_URL),
        print,
        signal: interruption(),
        clock: Date.now
      })
    )
  }
}
