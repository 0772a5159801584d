import { inspectConfig } from '../../config.ts'
import { createDynamoDbClient } from '../../journal/dynamodb.ts'
import { loadListener } from '../../listener-config/load-listener.ts'
import { SILENT } from '../../logger.ts'
import type { Finding } from '../../processor.ts'
import { createSqsClient } from '../../queue/sqs-client.ts'
import { WORKER_REQUIRES } from '../../roles/worker.ts'
import { createClients, loadEnvironments } from '../../wiring.ts'
import { type Print, readArguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { explain } from '../explain-error.ts'
import { count, lineOf } from '../report-line.ts'
import { type Check, fault } from './check.ts'
import { doctorChecks } from './doctor-checks.ts'

/** Timeout of each of the three attempts of an AWS call, in milliseconds. */
const ATTEMPT_MS = 1500

export const DOCTOR_USAGE = `Usage: node app/main.ts doctor

Checks what the listener needs, and prints a line for each finding: configuration, credentials, processors,
queues, table, Cloudinary with its triggers and metadata fields, what single processors need (database,
topic, receiver), and the clock. Changes nothing. Run it where the listener runs, with the same environment
and IAM role.

Exit code: 0 if there is no fault, even with warnings; 1 if there is a fault; 2 for a wrong option.
`

export interface DoctorOptions {
  checks: Iterable<Check> | AsyncIterable<Check>
  print: Print
  /** Timeout of one check, in milliseconds. (Default: 5000) */
  timeoutMs?: number
}

/** Widths of the first columns, in characters. Fixed, since lines are printed as the checks finish. */
const LEVEL_WIDTH = 'warning'.length
const SUBJECT_WIDTH = 16

/** Runs all checks in sequence, prints their findings, and returns the exit code. */
export async function doctor({ checks, print, timeoutMs = 5000 }: DoctorOptions): Promise<number> {
  const counts = { ok: 0, warning: 0, fault: 0 }
  for await (const check of checks) {
    for (const { level, message } of await runCheck(check, timeoutMs)) {
      counts[level]++
      print(lineOf(level.padEnd(LEVEL_WIDTH), check.subject.padEnd(SUBJECT_WIDTH), message))
    }
  }
  print(`${count(counts.fault, 'fault')}, ${count(counts.warning, 'warning')}.`)
  return counts.fault > 0 ? 1 : 0
}

/**
 * Runs a check with a timeout. Does not wait for a check that ignores its signal, such as one that loads a
 * module.
 */
async function runCheck({ run }: Check, timeoutMs: number): Promise<Finding[]> {
  const aborting = new AbortController()
  const timedOut = Promise.withResolvers<Finding[]>()
  const timer = setTimeout(() => {
    timedOut.resolve([fault(`timed out after ${timeoutMs / 1000} s; check the network path`)])
    aborting.abort()
  }, timeoutMs)
  const findings = await Promise.race([
    run(aborting.signal).catch((error) => [fault(explain(error))]),
    timedOut.promise
  ])
  clearTimeout(timer)
  return findings
}

export const doctorCommand: Command = {
  usage: DOCTOR_USAGE,
  async run(args, print) {
    readArguments({ args })
    const { config, problems } = inspectConfig(WORKER_REQUIRES)
    const sqs = createSqsClient(ATTEMPT_MS)
    const hasCredentials = !problems.some(({ name }) => name.startsWith('CLOUDINARY_'))
    const environments = hasCredentials ? loadEnvironments(config, SILENT) : undefined
    environments?.catch(() => {}) // the credentials check reports the error
    const checks = doctorChecks({
      config,
      configErrors: problems.map(({ line }) => line),
      region: await sqs.config.region().catch(() => undefined),
      sqs,
      dynamoDb: () => createDynamoDbClient(),
      environments,
      connect: (known) => createClients(known, SILENT),
      load: loadListener,
      log: SILENT
    })
    return doctor({ checks, print })
  }
}
