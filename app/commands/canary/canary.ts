import { setTimeout as wait } from 'node:timers/promises'
import { readConfig } from '../../config.ts'
import type { CloudinaryEnvironment } from '../../credentials/cloudinary-url.ts'
import { createDynamoDbClient } from '../../journal/dynamodb.ts'
import { JournalReader } from '../../journal/journal-reader.ts'
import { SILENT } from '../../logger.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import { createMetrics, loadEnvironments } from '../../wiring.ts'
import { type Print, readArguments, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { interruption } from '../interruption.ts'
import { lineOf, numberOf } from '../report-line.ts'
import { type CanaryOptions, sendCanary } from './canary-journey.ts'

const WITHIN_SECONDS = 180

export const CANARY_USAGE = `Usage: node app/main.ts canary [--url URL] [--within SECONDS]

Sends a signed test notification to the webhook for each Cloudinary environment, and waits until the journal
shows that a worker received it. No processor runs for it. With METRICS_NAMESPACE, writes the metrics
CanariesEnded, CanariesFailed and CanaryLatency; an interrupted canary counts in none.

  --url URL         the webhook (default: WEBHOOK_URL)
  --within SECONDS  maximum time of the journey, 1 to 600 (default: ${WITHIN_SECONDS})

Exit code: 0 if each journey ended; 1 if one did not; 2 for a wrong option.
`

/** Interval of the reads of the journal, in milliseconds. */
const PAUSE_MS = 1000

export interface CanaryArguments {
  webhookUrl: string
  withinMs: number
}

export interface CanaryCommandOptions extends Omit<CanaryOptions, keyof CanaryArguments> {
  /** One entry for each cloud. */
  keys: readonly CloudinaryEnvironment[]
  metrics: Pick<Metrics, 'count' | 'time'>
  print: Print
}

/** @throws {UsageError} */
export function parseCanary(args: string[]): { url?: string | undefined; withinMs: number } {
  const { values } = readArguments({
    args,
    options: { url: { type: 'string' }, within: { type: 'string', default: String(WITHIN_SECONDS) } }
  })
  if (values.url !== undefined && !/^https?:$/.test(URL.parse(values.url)?.protocol ?? '')) {
    throw new UsageError('the address of the webhook must be an http(s) URL')
  }
  if (!/^[1-9]\d{0,2}$/.test(values.within) || Number(values.within) > 600) {
    throw new UsageError('--within must be a whole number of seconds from 1 to 600')
  }
  return { url: values.url, withinMs: Number(values.within) * 1000 }
}

/** Sends a canary for each cloud at the same time, and returns the exit code. */
export async function canary(
  wanted: CanaryArguments,
  { keys, metrics, print, ...options }: CanaryCommandOptions
): Promise<number> {
  const outcomes = await Promise.all(keys.map((key) => sendCanary(key, { ...wanted, ...options })))
  for (const [index, outcome] of outcomes.entries()) {
    const { cloudName } = keys[index]!
    const { eventId } = outcome
    if (outcome.outcome === 'interrupted') {
      print(lineOf(cloudName, 'interrupted', eventId))
      continue
    }
    if (outcome.outcome === 'failed') {
      metrics.count('CanariesFailed', 1)
      print(lineOf(cloudName, 'failed', eventId, `${outcome.code}: ${outcome.reason}`))
      continue
    }
    const { acknowledgedMs, endedMs } = outcome
    metrics.count('CanariesEnded', 1)
    metrics.time('CanaryLatency', endedMs)
    const times = `acknowledged after ${numberOf(acknowledgedMs)} ms, processed after ${numberOf(endedMs)} ms`
    print(lineOf(cloudName, 'ended', eventId, times))
  }
  return outcomes.every(({ outcome }) => outcome === 'ended') ? 0 : 1
}

export const canaryCommand: Command = {
  usage: CANARY_USAGE,
  async run(args, print) {
    const { url, withinMs } = parseCanary(args)
    const config = readConfig(['JOURNAL_TABLE'])
    const webhookUrl = url ?? config.WEBHOOK_URL
    if (webhookUrl === undefined) throw new UsageError('canary needs --url or WEBHOOK_URL')
    const environments = await loadEnvironments(config, SILENT)
    const metrics = createMetrics('canary', config, { log: SILENT, write: print })
    const client = createDynamoDbClient()
    try {
      return await canary(
        { webhookUrl, withinMs },
        {
          keys: environments.cloudNames().map((cloudName) => environments.get(cloudName)),
          journal: new JournalReader({ client, tableName: config.JOURNAL_TABLE }),
          metrics,
          print,
          clock: Date.now,
          pause: (signal) => wait(PAUSE_MS, undefined, { signal }).catch(() => {}),
          signal: interruption()
        }
      )
    } finally {
      await metrics.stop()
      client.destroy()
    }
  }
}
